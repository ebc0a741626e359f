/**
 * What the core asks to be sent from files: history and snapshots, streamed to one link at the pace of that link and of
 * the disk behind it, while the live stream to the others goes on. Nothing is queued in memory beyond one piece here,
 * and a few steps there: after each step the follower is asked to tell when it has written what came before. So a slow
 * disk is never far behind, while pings, which are not held up, still pass.
 */
import type { Zxid } from "@quorate/api";
import type { Effect, LinkId, PeerMessage, TransferTicket } from "@quorate/zab";
import type { PeerRequestId } from "./peer-messages.ts";
import { recordHeaderBytes } from "./record.ts";
import { replicaLimits } from "./replica-limits.ts";
import type { Storage } from "./storage.ts";
import { CorruptionError } from "./storage-error.ts";
import type { Clock } from "./world.ts";

type Wanted = Extract<Effect, { kind: "sendHistory" | "sendSnapshot" }>;

/** The present transfer of a link. */
interface Running {
  readonly ticket: TransferTicket;
  /** Bytes sent since the follower was last asked. */
  bytes: number;
  /** What it was asked and has not answered; ascending. */
  unanswered: readonly PeerRequestId[];
}

export interface TransferPorts {
  storage: Storage;
  clock: Clock;
  send(link: LinkId, message: PeerMessage): void;
  writable(link: LinkId): boolean;
  /** Asks the follower to say so, under this id, when it has written what was sent to it before. */
  askStored(link: LinkId, id: PeerRequestId): void;
  done(ticket: TransferTicket, at: Zxid): void;
  /** What is to be sent is not what was written: nobody can be synchronized from it. */
  corrupt(why: string): void;
  /** The transfer cannot go on: the link is to begin anew. */
  failed(link: LinkId, why: string): void;
}

export class Transfers {
  readonly #ports: TransferPorts;
  /** Links that stand, with what waits for each to drain, or for the disk behind it. */
  readonly #waiting = new Map<LinkId, () => void>();
  /** The transfer that a link is for: one that was asked for before is void, as is every one of a link that is gone. */
  readonly #current = new Map<LinkId, Running>();
  #lastRequest: PeerRequestId = 0;
  running = 0;

  constructor(ports: TransferPorts) {
    this.#ports = ports;
  }

  start(wanted: Wanted): void {
    this.running++;
    const { link, ticket } = wanted;
    this.#current.set(link, { ticket, bytes: 0, unanswered: [] });
    // One that still waits has to see that it is void.
    this.#wake(link);
    const run = wanted.kind === "sendHistory" ? this.#history(wanted) : this.#snapshot(wanted);
    run.then(
      (at) => {
        this.running--;
        this.#end(link, ticket);
        if (at !== undefined) this.#ports.done(ticket, at);
      },
      (error: unknown) => {
        this.running--;
        const present = this.#end(link, ticket);
        if (error instanceof CorruptionError) this.#ports.corrupt(error.message);
        else if (present) this.#ports.failed(link, error instanceof Error ? error.message : String(error));
      },
    );
  }

  /** Whether it was the link's present one. */
  #end(link: LinkId, ticket: TransferTicket): boolean {
    return this.#current.get(link)?.ticket === ticket && this.#current.delete(link);
  }

  drained(link: LinkId): void {
    this.#wake(link);
  }

  /** The follower has answered: what was sent before this request is written. */
  stored(link: LinkId, id: PeerRequestId): void {
    const present = this.#current.get(link);
    if (present === undefined) return;
    present.unanswered = present.unanswered.filter((each) => each > id);
    this.#wake(link);
  }

  #wake(link: LinkId): void {
    const resume = this.#waiting.get(link);
    this.#waiting.delete(link);
    resume?.();
  }

  linkDown(link: LinkId): void {
    this.#current.delete(link);
    this.#wake(link);
  }

  /** Waits for room, on the link and behind it. Resolves false when the link is gone, or for another transfer. */
  async #room({ link, ticket }: Wanted): Promise<boolean> {
    for (;;) {
      const present = this.#current.get(link);
      if (present?.ticket !== ticket) return false;
      if (!this.#ports.writable(link)) await this.#woken(link);
      else if (present.unanswered.length < replicaLimits.transferSteps) return true;
      else await this.#answered(link, present);
    }
  }

  #woken(link: LinkId): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(link, resolve));
  }

  /** Until something happens on the link; throws when for long nothing has, for a transfer holds the log that it sends. */
  async #answered(link: LinkId, present: Running): Promise<void> {
    const { transferStallMillis } = replicaLimits;
    let late = false;
    const timer = this.#ports.clock.after(transferStallMillis, () => {
      late = true;
      this.#wake(link);
    });
    await this.#woken(link);
    timer.cancel();
    const stalled = late && present.unanswered.length >= replicaLimits.transferSteps;
    if (stalled) throw new Error(`its disk has written nothing for ${transferStallMillis / 1000} s`);
  }

  /** So many bytes were sent: after each step the follower is asked. */
  #sent({ link, ticket }: Wanted, bytes: number): void {
    const present = this.#current.get(link);
    if (present?.ticket !== ticket) return;
    present.bytes += bytes;
    if (present.bytes < replicaLimits.transferStepBytes) return;
    present.bytes = 0;
    const id = ++this.#lastRequest;
    present.unanswered = [...present.unanswered, id];
    this.#ports.askStored(link, id);
  }

  async #history(wanted: Extract<Wanted, { kind: "sendHistory" }>): Promise<Zxid | undefined> {
    const { link, after, through } = wanted;
    for await (const batches of this.#ports.storage.sendHistory(after, through)) {
      if (!(await this.#room(wanted))) return undefined;
      let bytes = 0;
      for (const batch of batches) {
        this.#ports.send(link, { kind: "propose", batch });
        bytes += recordHeaderBytes + batch.payload.length;
      }
      this.#sent(wanted, bytes);
    }
    return through;
  }

  async #snapshot(wanted: Extract<Wanted, { kind: "sendSnapshot" }>): Promise<Zxid | undefined> {
    const { link } = wanted;
    const source = this.#ports.storage.sendSnapshot();
    if (!source) throw new Error("there is no snapshot to send");
    const { at, checksum, chunks, release } = source;
    try {
      let offset = 0;
      let held: Uint8Array | undefined;
      const send = (chunk: Uint8Array, done: boolean): void => {
        this.#ports.send(link, {
          kind: "snapshot",
          at,
          checksum,
          offset,
          chunk,
          done,
        });
        offset += chunk.length;
        this.#sent(wanted, chunk.length);
      };
      for await (const chunk of chunks) {
        if (!(await this.#room(wanted))) return undefined;
        if (held) send(held, false);
        held = chunk;
      }
      if (!(await this.#room(wanted))) return undefined;
      send(held ?? new Uint8Array(0), true);
      return at;
    } finally {
      release();
    }
  }
}
