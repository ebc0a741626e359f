/**
 * Who leads, as it changes: server-sent events or lines of JSON. Only the newest state is worth sending, so that nothing
 * piles up behind a slow reader: he misses those that passed meanwhile, and is cut off when he reads nothing at all.
 */
import { formatZxid, type Zxid, zeroZxid } from "@quorate/api";
import type { WatchEnd } from "../backend.ts";
import type { ElectionListener, ElectionState, RecipeRead } from "../recipes/recipes.ts";
import { type Call, timeoutOf } from "./call.ts";
import { stateJson } from "./election-json.ts";
import { openStream, sendProblem } from "./reply.ts";
import type { Encoding } from "./stat-json.ts";
import { readZxid } from "./values.ts";
import { refusalOfEnd } from "./watch-poll.ts";
import { observeWatcher, takeSeat, type Waiter } from "./watch-room.ts";

type StreamType = "text/event-stream" | "application/x-ndjson";

export function startElectionStream(
  call: Call,
  read: RecipeRead,
  type: StreamType,
  forced: Encoding | undefined,
): void {
  const deadlineMillis = timeoutOf(call);
  const { lastEventId } = call.head;
  // What a browser has seen already is not shown older again.
  const seen = lastEventId === undefined ? zeroZxid : readZxid(lastEventId, "Last-Event-ID");
  const from = seen > read.minZxid ? { ...read, minZxid: seen } : read;
  const stream = new ElectionStream(call, from, type, forced);
  takeSeat(call, stream);
  stream.open(deadlineMillis);
}

/** `over`: nothing more is said. */
type Phase = "opening" | "live" | "draining" | "over";

class ElectionStream implements ElectionListener, Waiter {
  readonly #call: Call;
  readonly #read: RecipeRead;
  readonly #type: StreamType;
  readonly #forced: Encoding | undefined;
  readonly #began: number;
  deadline = 0;
  wheelSlot = -1;
  wheelPlace = 0;
  #phase: Phase = "opening";
  #observing: { close(): void } | undefined;
  /** Of what was told last. */
  #zxid: Zxid = zeroZxid;
  /** The newest state, which waits until the client has read what is before it. */
  #owed: ElectionState | undefined;
  /** The client has read something since the last beat, or owed nothing. */
  #progressed = true;

  constructor(call: Call, read: RecipeRead, type: StreamType, forced: Encoding | undefined) {
    this.#call = call;
    this.#read = read;
    this.#type = type;
    this.#forced = forced;
    this.#began = call.door.options.world.now();
  }

  open(deadlineMillis: number): void {
    this.#observing = this.#call.door.options.recipes.observe(this.#read, deadlineMillis, this);
  }

  changed(state: ElectionState, zxid: Zxid): void {
    if (this.#phase !== "opening" && this.#phase !== "live") return;
    this.#zxid = zxid;
    if (this.#phase === "opening") this.#begin();
    const { response, door } = this.#call;
    if (response.writableLength <= door.limits.watchSoftBytes) this.#tell(state);
    else this.#owe(state);
    if (door.stopping) this.drain();
  }

  #begin(): void {
    this.#phase = "live";
    openStream(this.#call, { zxid: this.#zxid, servedBy: 0, ageMillis: undefined, replayed: false }, this.#type, true);
    const { limits, watches } = this.#call.door;
    this.#beatIn(limits.watchBeatMillis * (1 - watches.spread() / 2));
  }

  #owe(state: ElectionState): void {
    if (this.#owed === undefined) {
      this.#call.response.once("drain", () => {
        const owed = this.#owed;
        this.#owed = undefined;
        this.#progressed = true;
        if (owed !== undefined && this.#phase === "live") this.#tell(owed);
      });
    }
    this.#owed = state;
  }

  #tell(state: ElectionState): void {
    this.#say("leader", stateJson(this.#read.path, state, this.#zxid, this.#forced));
  }

  ended(end: WatchEnd): void {
    this.#observing = undefined;
    if (this.#phase === "opening") {
      this.#leave();
      const refusal = refusalOfEnd(end);
      sendProblem(this.#call, refusal.problem, refusal.headers);
      observeWatcher(this.#call, this.#call.route.operationId, this.#began);
    } else this.#end(end.code, end.detail);
  }

  /** The beat, whatever happens. */
  expire(): void {
    const { response, door } = this.#call;
    if (this.#phase === "draining") {
      response.destroy();
      return;
    }
    const isStuck = this.#owed !== undefined || response.writableLength > door.limits.watchSoftBytes;
    if (isStuck && !this.#progressed) {
      this.#end("throttled", "nothing is read of the states; connect again");
      return;
    }
    this.#progressed = !isStuck;
    this.#say("alive", JSON.stringify({ zxid: formatZxid(this.#zxid) }));
    this.#beatIn(door.limits.watchBeatMillis);
  }

  drain(): void {
    if (this.#phase === "live") this.#end(undefined, "this gateway stops; connect again, to another one");
  }

  gone(): void {
    this.#leave();
  }

  /** The last word. Who does not read it in time is left. */
  #end(code: string | undefined, detail: string): void {
    if (this.#phase !== "live") return;
    const { response, door } = this.#call;
    this.#say("end", JSON.stringify({ code, detail, zxid: formatZxid(this.#zxid) }));
    this.#phase = "draining";
    this.#observing?.close();
    this.#observing = undefined;
    this.#beatIn(door.limits.watchLingerMillis);
    response.setTimeout(door.limits.watchStallMillis, () => response.destroy());
    response.end();
    observeWatcher(this.#call, this.#call.route.operationId, this.#began);
  }

  /** `json`: an object. */
  #say(name: "leader" | "alive" | "end", json: string): void {
    const id = formatZxid(this.#zxid);
    const text =
      this.#type === "text/event-stream"
        ? `id: ${id}\nevent: ${name}\ndata: ${json}\n\n`
        : `{"type":"${name}",${json.slice(1)}\n`;
    this.#call.response.write(text);
  }

  #beatIn(millis: number): void {
    const { door } = this.#call;
    this.deadline = door.options.world.now() + millis;
    door.watches.schedule(this);
  }

  #leave(): void {
    this.#phase = "over";
    this.#observing?.close();
    this.#observing = undefined;
    this.#call.door.watches.leave(this);
  }
}
