import { test } from "node:test";
import { type Acting, anyone, type Outcome, type SessionId, type Zxid } from "@quorate/api";
import { breaks, create, get, put, Scene, sessionOperation } from "./fixture.test-support.ts";
import { NoEarlyExpiry } from "./no-early-expiry.ts";
import { Order } from "./order.ts";

const name = "no-early-expiry";

function watched(order: Order = new Order()): Scene {
  return new Scene([new NoEarlyExpiry(order, 0.05)]);
}

function expire(scene: Scene, { session }: Acting): void {
  scene.commit([{ identity: anyone, operation: { kind: "expireSession", session } }]);
}

function renew(scene: Scene, acting: Acting): void {
  const asked = scene.askRenew(acting);
  scene.at += 10;
  scene.answer(asked, { kind: "renewed", zxid: scene.end, servedBy: 1 });
}

test("expired when its time is over", () => {
  const scene = watched();
  const acting = scene.openSession(1000);
  scene.at += 900;
  renew(scene, acting);
  // The leader's clock is fast, within the tolerance.
  scene.at += 945;
  // One that is not answered binds nobody.
  scene.askRenew(acting);
  expire(scene, acting);
  expire(scene, acting);
  scene.answer(scene.askRenew(acting), { kind: "expired" });
  scene.write(create("/e", "ephemeral"), { acting });
});

test("closed by its client whenever that likes", () => {
  const scene = watched();
  const acting = scene.openSession(1000);
  renew(scene, acting);
  scene.write({ kind: "closeSession", session: acting.session }, { acting });
  scene.answer(scene.askRenew(acting), { kind: "expired" });
});

test("expired before its time is over", () => {
  const scene = watched();
  const acting = scene.openSession(1000);
  scene.at += 900;
  breaks(name, () => expire(scene, acting), /expired at 1900; its client may count on it until 1950/);
});

test("a renewal does not count", () => {
  const scene = watched();
  const acting = scene.openSession(1000);
  scene.at += 500;
  renew(scene, acting);
  scene.at += 600;
  breaks(name, () => expire(scene, acting), /until 2450/);
});

test("renewed when it had been expired", () => {
  const scene = watched();
  const acting = scene.openSession(1000);
  scene.at += 960;
  const asked = scene.askRenew(acting);
  expire(scene, acting);
  breaks(name, () => scene.answer(asked, { kind: "renewed", zxid: scene.end, servedBy: 1 }), /is expired at 1960/);
});

test("a creation is answered late, of a session that was expired early", () => {
  const scene = watched();
  const asked = scene.askWrite(sessionOperation("client", 1000, 5));
  const [outcome] = scene.commit([scene.command(asked.write)]);
  const session = (outcome as Outcome).zxid as number as SessionId;
  scene.at += 500;
  expire(scene, { session, secretHash: new Uint8Array(32) });
  breaks(name, () => scene.answerOutcome(asked, outcome as Outcome), /is expired at 1500/);
});

/** Replica `replica` stands still, or nobody answers it, for so long. */
function out(scene: Scene, replica: number, millis: number, how: { runs: boolean; slow?: boolean }): void {
  const seen = (reaches: boolean) => ({ at: scene.at, replica, reaches, slow: how.slow ?? false });
  scene.tell((each) => each.reach({ ...seen(false), runs: how.runs }));
  scene.at += millis;
  scene.tell((each) => each.reach({ ...seen(true), runs: true }));
}

test("while its leader stands still, nobody's time goes on, but for a step", () => {
  const scene = watched();
  const acting = scene.openSession(1000);
  out(scene, 1, 850, { runs: false });
  scene.at += 498;
  breaks(name, () => expire(scene, acting), /expired at 2348; its client may count on it until 2350/);
});

test("while nobody answers its leader, nobody's time goes on, but for two steps", () => {
  const scene = watched();
  const acting = scene.openSession(1000);
  out(scene, 1, 1300, { runs: true });
  scene.at += 40;
  breaks(name, () => expire(scene, acting), /expired at 2340; its client may count on it until 2350/);
});

test("who stands still beside its leader, or a network that is slow, stops nobody's time", () => {
  const scene = watched();
  const acting = scene.openSession(1000);
  const other = scene.openSession(1000);
  out(scene, 2, 951, { runs: false });
  expire(scene, acting);
  out(scene, 1, 2000, { runs: true, slow: true });
  expire(scene, other);
});

test("renewed when its end had been applied, by whomever", () => {
  const scene = watched();
  const acting = scene.openSession(1000);
  const early = scene.askRenew(acting);
  scene.at += 10;
  scene.write({ kind: "closeSession", session: acting.session }, { acting });
  scene.answer(early, { kind: "renewed", zxid: scene.end, servedBy: 1 });
  scene.at += 10;
  const late = scene.askRenew(acting);
  breaks(name, () => scene.answer(late, { kind: "renewed", zxid: scene.end, servedBy: 1 }), /it was over at 1010/);
});

test("'expired' is said of a session that lives", () => {
  const scene = watched();
  const acting = scene.openSession(1000);
  breaks(name, () => scene.answer(scene.askRenew(acting), { kind: "expired" }), /is over, and it lives/);
  const failure = { ok: false, zxid: (scene.end + 1) as Zxid, code: "sessionExpired", detail: "" } as const;
  const write = scene.askWrite(put("/a"), { acting });
  breaks(name, () => scene.answerOutcome(write, failure), /told at .* that its session is over/);
  const read = scene.askRead({ kind: "getSession", session: acting.session });
  breaks(name, () => scene.answerOutcome(read, failure), /told at .* that its session is over/);
});

test("'expired' is said from a state in which it lives", () => {
  const scene = watched();
  const acting = scene.openSession(1000);
  scene.write({ kind: "closeSession", session: acting.session }, { acting });
  const failure = { ok: false, zxid: scene.end, code: "sessionExpired", detail: "" } as const;
  scene.answerOutcome(scene.askRead(get("/a"), { acting }), failure);
  const early = { ...failure, zxid: acting.session as number as Zxid };
  breaks(name, () => scene.answerOutcome(scene.askRead(get("/a"), { acting }), early), /its session is over/);
});

test("what a leader of flipped memory judges is nobody's promise", () => {
  const order = new Order();
  const scene = watched(order);
  const acting = scene.openSession(1000);
  order.suspects.flip(1, scene.at);
  expire(scene, acting);
  const other = watched();
  const another = other.openSession(1000);
  breaks(name, () => expire(other, another));
});
