/**
 * Many hostile conversations with a running ZooKeeper port at once, and a healthy client beside them that must be served all the
 * time. Each conversation is watched: numbers are answered in order, what cannot be read closes the connection, nothing is left
 * hanging.
 */
import { connect, type Socket } from "node:net";
import { sleep } from "../integration/ensemble.ts";
import { SeededRandom } from "../simulation/random.ts";
import { type Conversation, type ConversationKind, Conversations } from "./zookeeper-frames.ts";

export interface ZookeeperFuzzOptions {
  readonly port: number;
  readonly frames: number;
  readonly seed: number;
  /** Conversations at once. */
  readonly crowd: number;
  /** How long an answer, or the end of a connection, may take. */
  readonly patienceMillis?: number;
  readonly onProgress?: (tally: ZookeeperTally) => Promise<void> | void;
}

export interface ZookeeperFind {
  readonly what: string;
  readonly conversation: ConversationKind;
  /** Which one of the seed's. */
  readonly number: number;
}

export class ZookeeperTally {
  frames = 0;
  answers = 0;
  events = 0;
  readonly conversations = new Map<ConversationKind, number>();
  readonly finds: ZookeeperFind[] = [];
}

/** However busy the machine is. The door itself gives a first frame 10 s. */
const usualPatienceMillis = 30_000;
/** How long a client that is owed nothing stays. */
const stayMillis = 20;
const progressFrames = 50_000;

export async function fuzzZookeeper(options: ZookeeperFuzzOptions): Promise<ZookeeperTally> {
  const tally = new ZookeeperTally();
  const conversations = new Conversations(new SeededRandom(options.seed));
  let number = 0;
  let told = 0;
  const one = async (): Promise<void> => {
    while (tally.frames < options.frames && tally.finds.length < 10) {
      const conversation = conversations.next();
      tally.frames += conversation.frames;
      const own = number++;
      const what = await converse(options, conversation, tally);
      if (what !== undefined) tally.finds.push({ what, conversation: conversation.kind, number: own });
      tally.conversations.set(conversation.kind, (tally.conversations.get(conversation.kind) ?? 0) + 1);
      if (Math.floor(tally.frames / progressFrames) > told) {
        told = Math.floor(tally.frames / progressFrames);
        await options.onProgress?.(tally);
      }
    }
  };
  await Promise.all(Array.from({ length: options.crowd }, one));
  return tally;
}

/** What is wrong with what the server did. */
async function converse(
  options: ZookeeperFuzzOptions,
  conversation: Conversation,
  tally: ZookeeperTally,
): Promise<string | undefined> {
  const { port, patienceMillis = usualPatienceMillis } = options;
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const answers = new Answers(socket);
  // It may be reset, or closed while it is written to.
  socket.on("error", () => undefined);
  try {
    await Promise.race([answers.stands, answers.over]);
    if (!answers.stood) return "it takes no connection";
    if (!conversation.reads) socket.pause();
    for (const { bytes, waitMillis } of conversation.writes) {
      if (answers.closed) break;
      if (!socket.write(bytes) && conversation.reads) await answers.drained();
      if (waitMillis > 0) await Promise.race([sleep(waitMillis), answers.over]);
    }
    return await judge(conversation, answers, patienceMillis);
  } finally {
    tally.answers += answers.xids.length;
    tally.events += answers.events;
    if (conversation.leaves === "reset") socket.resetAndDestroy();
    else socket.destroy();
  }
}

async function judge(
  { owes, xids }: Conversation,
  answers: Answers,
  patienceMillis: number,
): Promise<string | undefined> {
  if (owes === "nothing") {
    await Promise.race([sleep(stayMillis), answers.over]);
    return answers.fault;
  }
  const last = owes === "answer" ? (xids?.at(-1) ?? lastXid) : undefined;
  const done = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => done.resolve(false), patienceMillis);
  void answers.over.then(() => done.resolve(true));
  if (last !== undefined) answers.until(last, () => done.resolve(true));
  const isDone = await done.promise;
  clearTimeout(timer);
  if (!isDone)
    return `${owes === "close" ? "it is not closed" : "it is neither answered nor closed"} within ${patienceMillis} ms`;
  return answers.fault ?? (xids === undefined ? undefined : outOfOrder(xids, answers.xids));
}

const lastXid = 1_000_000;
/** Notifications, pings and authentication have no place in the order. */
const placeless: ReadonlySet<number> = new Set([-1, -2, -4]);

/** Every answer is to the next of the numbers that were sent. */
function outOfOrder(sent: readonly number[], answered: readonly number[]): string | undefined {
  const awaited = sent.filter((each) => !placeless.has(each));
  const at = answered.findIndex((each, place) => each !== awaited[place]);
  return at < 0 ? undefined : `${answered[at]} is answered where ${awaited[at] ?? "nothing"} was asked`;
}

/** What comes back, cut into frames: of the answers only their numbers. */
class Answers {
  readonly xids: number[] = [];
  events = 0;
  closed = false;
  fault: string | undefined;
  /** Until it is open, and until it is over, whoever ended it and however. */
  readonly stands: Promise<void>;
  readonly over: Promise<void>;
  stood = false;
  readonly #socket: Socket;
  #held: Buffer = Buffer.alloc(0);
  #greeted = false;
  #awaited: { readonly xid: number; readonly come: () => void } | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    const over = Promise.withResolvers<void>();
    this.over = over.promise;
    const stands = Promise.withResolvers<void>();
    this.stands = stands.promise;
    socket.on("connect", () => {
      this.stood = true;
      stands.resolve();
    });
    socket.on("close", () => {
      this.closed = true;
      over.resolve();
    });
    socket.on("data", (part: Buffer) => this.#feed(part));
  }

  /** There is room to write, or nobody to write to. */
  drained(): Promise<void> {
    const room = Promise.withResolvers<void>();
    this.#socket.once("drain", room.resolve);
    return Promise.race([room.promise, this.over]);
  }

  until(xid: number, come: () => void): void {
    this.#awaited = { xid, come };
    if (this.xids.includes(xid)) come();
  }

  #feed(part: Buffer): void {
    this.#held = this.#held.length === 0 ? part : Buffer.concat([this.#held, part]);
    while (this.#held.length >= 4) {
      const length = this.#held.readInt32BE(0);
      // A four-letter word is answered with text.
      if (length < 0 || length > 0x1000000) return;
      if (this.#held.length < 4 + length) return;
      this.#take(this.#held.subarray(4, 4 + length));
      this.#held = this.#held.subarray(4 + length);
    }
  }

  #take(frame: Buffer): void {
    if (!this.#greeted) {
      this.#greeted = true;
      return;
    }
    if (frame.length < 16) {
      this.fault ??= `an answer of ${frame.length} bytes`;
      return;
    }
    const xid = frame.readInt32BE(0);
    if (xid === -1) this.events += 1;
    if (placeless.has(xid)) return;
    this.xids.push(xid);
    if (xid === this.#awaited?.xid) this.#awaited.come();
  }
}
