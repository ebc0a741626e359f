/**
 * One atomic service in virtual time, naively made and without a look at the models that judge it; and the bugs that it can be
 * given, each as likely as `bugRate` says whenever there is an occasion.
 */
import type { SeededRandom } from "../simulation/random.ts";
import type {
  AcquireCall,
  Answer,
  CheckCall,
  FailureCode,
  LockCall,
  LockResult,
  Millis,
  RegisterCall,
  RegisterCondition,
  RegisterResult,
  ReleaseCall,
  SeenZnode,
  SequenceCall,
  SequenceResult,
  SessionCall,
  SessionResult,
  TxnCall,
  TxnPart,
  TxnPartResult,
  ZxidNumber,
} from "./history.ts";

export type Bug =
  | "staleRead"
  | "lostWrite"
  | "blindCondition"
  | "tornTxn"
  | "stuckVersion"
  | "sameNumber"
  | "numberBack"
  | "lostChild"
  | "staleList"
  | "secondHolder"
  | "lostLock"
  | "leftBehind"
  | "tokenBack"
  | "expiredEarly";

export class Occasions {
  readonly #bug: Bug | undefined;
  readonly #random: SeededRandom;
  readonly #rate: number;
  zxid: ZxidNumber = 2 ** 32;

  constructor(bug: Bug | undefined, random: SeededRandom, rate: number) {
    this.#bug = bug;
    this.#random = random;
    this.#rate = rate;
  }

  has(bug: Bug): boolean {
    return bug === this.#bug && this.#random.chance(this.#rate);
  }

  below(below: number): number {
    return this.#random.below(below);
  }
}

type Nodes = Map<string, SeenZnode>;

class Refusal {
  readonly code: FailureCode;

  constructor(code: FailureCode) {
    this.code = code;
  }
}

export class RegisterService {
  readonly #world: Occasions;
  #nodes: Nodes = new Map();
  readonly #past: Nodes[] = [];

  constructor(world: Occasions) {
    this.#world = world;
  }

  perform(call: RegisterCall): Answer<RegisterResult> {
    if (call.kind === "read") {
      const stale = this.#world.has("staleRead") ? this.#past.at(-1 - this.#world.below(6)) : undefined;
      const znode = (stale ?? this.#nodes).get(call.key) ?? null;
      return { kind: "ok", result: { kind: "read", znode }, zxid: this.#world.zxid };
    }
    const zxid = ++this.#world.zxid;
    const draft: Nodes = new Map(this.#nodes);
    try {
      const result =
        call.kind === "txn" ? this.#txn(draft, call, zxid) : (this.#part(draft, call, zxid) as RegisterResult);
      if (!this.#world.has("lostWrite")) {
        this.#past.push(this.#nodes);
        this.#nodes = draft;
      }
      return { kind: "ok", result, zxid };
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      return { kind: "failed", code: refusal.code, zxid };
    }
  }

  #txn(draft: Nodes, call: TxnCall, zxid: ZxidNumber): RegisterResult {
    const refusal = call.check.map((check) => this.#refusalOf(draft, check)).find((each) => each !== undefined);
    if (refusal !== undefined && call.else === undefined) throw refusal;
    const branch = refusal === undefined ? "then" : "else";
    const parts = (branch === "then" ? call.then : call.else) ?? [];
    const forgotten = this.#world.has("tornTxn") ? this.#world.below(parts.length) : -1;
    const results = parts.map((part, index) => this.#part(index === forgotten ? new Map(draft) : draft, part, zxid));
    return { kind: "txn", branch, results };
  }

  #refusalOf(nodes: Nodes, { key, exists, ...condition }: CheckCall): Refusal | undefined {
    const node = nodes.get(key);
    if (node === undefined) return exists === false ? undefined : new Refusal("noNode");
    return exists === false ? new Refusal("nodeExists") : this.#unmet(node, condition);
  }

  #unmet(node: SeenZnode, { mzxid, version }: RegisterCondition): Refusal | undefined {
    const met = (mzxid ?? node.mzxid) === node.mzxid && (version ?? node.version) === node.version;
    return met || this.#world.has("blindCondition") ? undefined : new Refusal("badVersion");
  }

  #part(draft: Nodes, part: TxnPart | RegisterCall, zxid: ZxidNumber): TxnPartResult {
    if (part.kind === "txn") throw new Error("no txn in a txn");
    const node = draft.get(part.key);
    if (part.kind === "check") {
      const refusal = this.#refusalOf(draft, part);
      if (refusal !== undefined) throw refusal;
      return { kind: "check" };
    }
    if (part.kind === "read") {
      if (node === undefined) throw new Refusal("noNode");
      return { kind: "read", znode: node };
    }
    const condition = part.condition ?? {};
    if (node === undefined) {
      if (part.kind === "delete") throw new Refusal("noNode");
      const needsOne = condition.mzxid !== undefined || condition.version !== undefined || condition.exists === true;
      if (needsOne) throw new Refusal("badVersion");
    } else {
      if (condition.exists === false) throw new Refusal("nodeExists");
      const refusal = this.#unmet(node, condition);
      if (refusal !== undefined) throw refusal;
    }
    if (part.kind === "delete") {
      draft.delete(part.key);
      return { kind: "delete", at: zxid };
    }
    const version = node === undefined ? 0 : node.version + (this.#world.has("stuckVersion") ? 0 : 1);
    draft.set(part.key, { value: part.value, version, mzxid: zxid });
    return { kind: "put", version, mzxid: zxid, created: node === undefined };
  }
}

export class SequenceService {
  readonly #world: Occasions;
  readonly #names = new Set<string>();
  readonly #past: string[][] = [];
  #next = 0;

  constructor(world: Occasions) {
    this.#world = world;
  }

  perform(call: SequenceCall): Answer<SequenceResult> {
    const world = this.#world;
    if (call.kind === "list") {
      const stale = world.has("staleList") ? this.#past.at(-1 - world.below(5)) : undefined;
      return { kind: "ok", result: { kind: "list", names: stale ?? [...this.#names] }, zxid: world.zxid };
    }
    const zxid = ++world.zxid;
    this.#past.push([...this.#names]);
    if (call.kind === "remove") {
      if (!this.#names.delete(call.name)) return { kind: "failed", code: "noNode", zxid };
      return { kind: "ok", result: { kind: "remove", at: zxid }, zxid };
    }
    let number = this.#next++;
    if (number > 0 && world.has("sameNumber")) number--;
    if (number > 3 && world.has("numberBack")) number -= 3;
    const name = `${call.prefix}${String(number).padStart(10, "0")}`;
    if (!world.has("lostChild")) this.#names.add(name);
    return { kind: "ok", result: { kind: "append", name, czxid: zxid }, zxid };
  }
}

interface Session {
  readonly id: ZxidNumber;
  readonly timeoutMillis: number;
  lastSign: Millis;
  over: boolean;
}

interface Holder {
  readonly owner: ZxidNumber;
  readonly token: ZxidNumber;
}

export class LockService {
  readonly #world: Occasions;
  readonly #now: () => Millis;
  readonly #later: (at: Millis, run: () => void) => void;
  readonly #sessions = new Map<string, Session>();
  #holder: Holder | null = null;
  #before: Holder | null = null;

  /** `later`: runs something at a time. */
  constructor(world: Occasions, now: () => Millis, later: (at: Millis, run: () => void) => void) {
    this.#world = world;
    this.#now = now;
    this.#later = later;
  }

  performSession(name: string, call: SessionCall): Answer<SessionResult> {
    if (call.kind === "open") {
      const id = ++this.#world.zxid;
      const session = { id, timeoutMillis: call.timeoutMillis, lastSign: this.#now(), over: false };
      this.#sessions.set(name, session);
      this.#watch(session);
      return { kind: "ok", result: { kind: "session", id }, zxid: id };
    }
    const session = this.#sessions.get(name);
    if (session === undefined || session.over)
      return { kind: "failed", code: "sessionExpired", zxid: this.#world.zxid };
    if (call.kind === "close") this.#end(session);
    else session.lastSign = this.#now();
    return { kind: "ok", result: { kind: "session" }, zxid: this.#world.zxid };
  }

  perform(call: LockCall): Answer<LockResult> {
    const world = this.#world;
    if (this.#holder !== null && world.has("lostLock")) this.#set(null);
    if (call.kind === "observe") {
      const holder = world.has("staleRead") ? this.#before : this.#holder;
      return { kind: "ok", result: { kind: "observe", holder }, zxid: world.zxid };
    }
    const zxid = ++world.zxid;
    return call.kind === "acquire" ? this.#acquire(call, zxid) : this.#release(call, zxid);
  }

  #acquire({ session: name }: AcquireCall, zxid: ZxidNumber): Answer<LockResult> {
    const session = this.#sessions.get(name);
    if (session === undefined || session.over) return { kind: "failed", code: "sessionExpired", zxid };
    if (this.#holder !== null && !this.#world.has("secondHolder")) return { kind: "failed", code: "nodeExists", zxid };
    const token = this.#world.has("tokenBack") ? zxid - 40 : zxid;
    this.#set({ owner: session.id, token });
    return { kind: "ok", result: { kind: "acquire", token }, zxid };
  }

  #release({ token }: ReleaseCall, zxid: ZxidNumber): Answer<LockResult> {
    if (this.#holder === null) return { kind: "failed", code: "noNode", zxid };
    if (token !== undefined && token !== this.#holder.token && !this.#world.has("blindCondition")) {
      return { kind: "failed", code: "badVersion", zxid };
    }
    this.#set(null);
    return { kind: "ok", result: { kind: "release", at: zxid }, zxid };
  }

  /** Looks a little late, as a leader does. */
  #watch(session: Session): void {
    const timeout = this.#world.has("expiredEarly") ? session.timeoutMillis / 5 : session.timeoutMillis;
    this.#later(session.lastSign + timeout + this.#world.below(50), () => {
      if (session.over) return;
      if (this.#now() < session.lastSign + timeout) this.#watch(session);
      else this.#end(session);
    });
  }

  #end(session: Session): void {
    session.over = true;
    if (this.#holder?.owner === session.id && !this.#world.has("leftBehind")) this.#set(null);
  }

  #set(holder: Holder | null): void {
    this.#before = this.#holder;
    this.#holder = holder;
  }
}
