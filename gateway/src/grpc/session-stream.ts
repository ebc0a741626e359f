/**
 * `Coordination.Session`: a session at home on one stream. Opened by its first message, which takes the session over and renews
 * it; then operations, answered in order (`session-operations.ts`), and heartbeats, each answered when the renewal that it
 * asked for is confirmed. Nothing but heartbeats keeps the session: operations alone do not.
 */
import { type Acting, formatZxid, limits, type SessionId, type Zxid } from "@quorate/api";
import { publicServices, type v1 } from "@quorate/proto";
import type { LaneOpening, RenewAnswer, SessionLane } from "../backend.ts";
import type { GatewayTimer } from "../ports.ts";
import { type Call, hashed, plainHeader, readSecret } from "./call.ts";
import type { Flow } from "./desk.ts";
import { durationOf } from "./encode.ts";
import { bad, faultOfEnd, faultOfUnavailable, GrpcFault, stoppingFault } from "./faults.ts";
import type { Outlet } from "./outlet.ts";
import { SessionOperations } from "./session-operations.ts";
import { SessionReplies } from "./session-replies.ts";
import { decodeRequest, expiredFault, secretFault } from "./unary.ts";
import { sessionOf } from "./values.ts";

type Phase = "silent" | "opening" | "open" | "over";

export class SessionStream {
  readonly #call: Call;
  readonly #outlet: Outlet;
  readonly #flow: Flow;
  readonly #replies: SessionReplies;
  #phase: Phase = "silent";
  #acting: Acting | undefined;
  #lane: SessionLane | undefined;
  #operations: SessionOperations | undefined;
  /** The opening has two halves: the take-over and the renewal. */
  #opening: LaneOpening | undefined;
  /** The zxid of the renewal. */
  #renewed: Zxid | undefined;
  /** What came before it was open. */
  #early: v1.SessionRequest[] = [];
  #timer: GatewayTimer | undefined;
  /** A heartbeat that came while a renewal was under way. */
  #nextBeat: v1.SessionHeartbeat | undefined;
  #renewing = false;
  #timeoutMillis = 0;
  #finished = false;

  constructor(call: Call, outlet: Outlet, flow: Flow) {
    const { door } = call;
    const { world } = door.options;
    if (door.sessionStreams >= door.limits.sessionStreams) {
      const detail = `this gateway has ${door.sessionStreams} Session streams, which is the most; use another`;
      throw new GrpcFault("throttled", detail);
    }
    this.#call = call;
    this.#outlet = outlet;
    this.#flow = flow;
    this.#replies = new SessionReplies(outlet, world, door.limits.sessionBatchBytes);
    door.sessionStreams++;
    door.streams.add(this);
    outlet.onGone(() => this.#leave());
    this.#timer = world.after(door.limits.sessionOpenMillis, () => {
      if (this.#phase === "silent") this.#end(bad("open", "it did not come in time; it is the first message"));
    });
  }

  received(bytes: Buffer): void {
    const request = decodeRequest(publicServices().methods.Coordination.Session, bytes);
    if (this.#phase === "silent") return this.#open(request);
    if (request.open !== undefined) throw bad("open", "it stands in the first message alone");
    if (this.#phase === "opening") {
      this.#early.push(request);
      this.#flow.pause();
    } else if (this.#phase === "open") this.#take(request);
  }

  /** The client sends nothing more: what it sent is done and answered, then the stream ends. */
  finished(): void {
    this.#finished = true;
    if (this.#phase === "silent") this.#end(bad("open", "the stream ended before its first message"));
    else if (this.#phase === "open") this.#operations?.finish(() => this.#end());
  }

  /** The process stops. */
  stop(): void {
    this.#end(stoppingFault());
  }

  #open(request: v1.SessionRequest): void {
    const { open } = request;
    if (open === undefined) throw bad("open", "it is missing; the first message opens the session");
    const session = sessionOf(open.sessionId, "open.session_id");
    if (session === undefined) throw bad("open.session_id", "it is missing; give what CreateSession answered");
    const acting = hashed(this.#call.door, session, this.#secretOf(open));
    const { backend } = this.#call.door.options;
    const { deadlineMillis, identity } = this.#call;
    this.#acting = acting;
    this.#phase = "opening";
    this.#timer?.cancel();
    this.#early.push({
      ...request,
      open: undefined,
      answeredUpTo: Math.max(open.answeredUpTo ?? 0, request.answeredUpTo ?? 0),
    });
    this.#lane = backend.attach(acting, identity, deadlineMillis, {
      opened: (opening) => {
        this.#opening = opening;
        this.#goOn();
      },
      ended: (end) => this.#end(faultOfEnd(end)),
      drained: () => this.#guarded(() => this.#operations?.pump()),
    });
    void this.#renew((zxid) => {
      this.#renewed = zxid;
      this.#goOn();
    });
  }

  #secretOf({ secret = "" }: v1.SessionOpen): string {
    const shown = secret === "" ? this.#call.secret : readSecret(secret, "open.secret");
    if (shown === undefined) {
      const detail =
        "open.secret is missing; give what CreateSession answered, there or as metadata quorate-session-secret";
      throw new GrpcFault("authFailed", detail, { field: "open.secret" });
    }
    if (this.#call.secret === undefined || this.#call.secret === shown) return shown;
    throw bad("open.secret", "the metadata quorate-session-secret is another one; give it once");
  }

  /** Both halves of the opening are there. */
  #goOn(): void {
    const [opening, lane, acting, zxid] = [this.#opening, this.#lane, this.#acting, this.#renewed];
    if (this.#phase !== "opening" || zxid === undefined || !opening || !lane || !acting) return;
    this.#phase = "open";
    this.#timeoutMillis = opening.timeoutMillis;
    this.#operations = new SessionOperations({
      call: this.#call,
      acting,
      lane,
      opening,
      replies: this.#replies,
      outlet: this.#outlet,
      flow: this.#flow,
      end: (fault) => this.#end(fault),
      guarded: (run) => this.#guarded(run),
    });
    const { attachment, lastSequence, timeoutMillis, servedBy } = opening;
    const header = plainHeader(zxid, servedBy);
    this.#replies.opened({ header, attachment, lastSequence, timeout: durationOf(timeoutMillis) });
    const early = this.#early;
    this.#early = [];
    this.#flow.resume();
    this.#guarded(() => {
      for (const request of early) this.#take(request);
      if (this.#finished) this.finished();
    });
  }

  #take(request: v1.SessionRequest): void {
    if (request.heartbeat !== undefined) {
      if (this.#renewing) this.#nextBeat = request.heartbeat;
      else this.#beat(request.heartbeat);
    }
    this.#operations?.take(request);
  }

  #beat(heartbeat: v1.SessionHeartbeat): void {
    void this.#renew(() => this.#replies.heartbeat({ id: heartbeat.id }));
  }

  /** One at a time; the newest heartbeat that came meanwhile is next. */
  async #renew(confirmed: (zxid: Zxid) => void): Promise<void> {
    const acting = this.#acting as Acting;
    this.#renewing = true;
    const within = Math.min(this.#timeoutMillis || this.#call.deadlineMillis, limits.requestTimeoutMaxMillis);
    const answer = await this.#call.door.options.backend.renew(acting.session, acting.secretHash, within);
    this.#renewing = false;
    if (this.#phase === "over") return;
    const fault = renewalFault(answer, acting.session, this.#phase === "opening");
    if (fault !== undefined) return this.#end(fault);
    if (answer.kind === "renewed") confirmed(answer.zxid);
    const next = this.#nextBeat;
    this.#nextBeat = undefined;
    if (next !== undefined) this.#beat(next);
  }

  #guarded(run: () => void): void {
    try {
      if (this.#phase !== "over") run();
    } catch (error) {
      if (error instanceof GrpcFault) this.#end(error);
      else throw error;
    }
  }

  #end(fault?: GrpcFault): void {
    if (this.#phase === "over") return;
    this.#replies.flush();
    const { session } = this.#acting ?? {};
    this.#outlet.end(
      fault === undefined || session === undefined ? fault : fault.with({ session: formatZxid(session) }),
    );
  }

  #leave(): void {
    this.#phase = "over";
    const { door } = this.#call;
    door.sessionStreams--;
    door.streams.delete(this);
    this.#timer?.cancel();
    this.#operations?.stop();
    this.#lane?.close();
    this.#early = [];
  }
}

/** Undefined: it is renewed, or may be by the next heartbeat. */
function renewalFault(answer: RenewAnswer, session: SessionId, opening: boolean): GrpcFault | undefined {
  switch (answer.kind) {
    case "renewed":
      return undefined;
    case "expired":
      return expiredFault(session);
    case "badSecret":
      return secretFault(session);
    case "unavailable":
      return opening ? faultOfUnavailable(answer) : undefined;
  }
}
