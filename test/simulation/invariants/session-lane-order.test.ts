import { test } from "node:test";
import { anyone, type Outcome, type ReadOperation, type Zxid } from "@quorate/api";
import { type Asked, identityOf } from "../observation.ts";
import { breaks, get, put, Scene } from "./fixture.test-support.ts";
import { Order } from "./order.ts";
import { SessionLaneOrder } from "./session-lane-order.ts";

const name = "session-lane-order";

interface Lane {
  readonly scene: Scene;
  write(path: string, line?: number): { readonly asked: Asked; done(): Outcome };
  read(path: string, line?: number): Asked;
  /** As replica 1 has it now. */
  shown(path: string): Outcome;
}

function lane(): Lane {
  const scene = new Scene([new SessionLaneOrder(new Order())]);
  let id = 100;
  const base = (line: number): Pick<Asked, "at" | "id" | "request" | "client" | "gateway" | "line"> => {
    id += 1;
    return { at: scene.at, id, request: id, client: 7, gateway: 1, line };
  };
  const ask = <A extends Asked>(asked: A): A => {
    scene.tell((each) => each.asked(asked));
    return asked;
  };
  return {
    scene,
    write: (path, line = 1) => {
      const write = { identity: identityOf(id + 1), operation: put(path, String(id + 1)) };
      return {
        asked: ask({ ...base(line), kind: "write", write }),
        done: () => scene.commit([scene.command(write)])[0] as Outcome,
      };
    },
    read: (path, line = 1) => {
      const session = { consistency: "session", minZxid: 0 as Zxid, maxStaleMillis: 0 } as const;
      return ask({ ...base(line), kind: "read", read: { identity: anyone, operation: get(path), ...session } });
    },
    shown: (path) => scene.tree(1).read(get(path) as Extract<ReadOperation, { kind: "get" }>, anyone),
  };
}

test("answers in order, each read of what was written before it and no more", () => {
  const { scene, write, read, shown } = lane();
  const one = write("/a");
  const look = read("/a");
  const two = write("/a");
  const done = one.done();
  const seen = shown("/a");
  scene.answerOutcome(one.asked, done);
  scene.answerOutcome(look, seen);
  scene.answerOutcome(two.asked, two.done());
  // Another attachment is another order; what came off no lane has none.
  const other = read("/a", 2);
  const last = read("/a");
  scene.answerOutcome(last, shown("/a"));
  scene.answerOutcome(other, shown("/a"));
});

test("an answer overtakes another", () => {
  const { scene, write, read, shown } = lane();
  const one = write("/a");
  const look = read("/a");
  const done = one.done();
  scene.answerOutcome(look, shown("/a"));
  breaks(name, () => scene.answerOutcome(one.asked, done), /answered behind/);
});

test("a read does not see a write that was given before it", () => {
  const { scene, write, read, shown } = lane();
  const one = write("/a");
  const look = read("/a");
  const before = shown("/a");
  scene.answerOutcome(one.asked, one.done());
  breaks(name, () => scene.answerOutcome(look, before), /was answered before on its lane/);
});

test("a read shows a write that was given after it", () => {
  const { scene, write, read, shown } = lane();
  const look = read("/a");
  write("/a").done();
  breaks(name, () => scene.answerOutcome(look, shown("/a")), /which was given after it/);
});
