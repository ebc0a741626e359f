/**
 * What the core asks to be sent from files: history and snapshots, streamed to one link at the pace of that link, while
 * the live stream to the others goes on. Nothing is queued in memory beyond one piece.
 */
import type { Zxid } from "@quorate/api";
import type { Effect, LinkId, PeerMessage, TransferTicket } from "@quorate/zab";
import type { Storage } from "./storage.ts";

type Wanted = Extract<Effect, { kind: "sendHistory" | "sendSnapshot" }>;

export interface TransferPorts {
  storage: Storage;
  send(link: LinkId, message: PeerMessage): void;
  writable(link: LinkId): boolean;
  done(ticket: TransferTicket, at: Zxid): void;
  /** The transfer cannot go on: the link is to begin anew. */
  failed(link: LinkId, why: string): void;
}

export class Transfers {
  readonly #ports: TransferPorts;
  /** Links that stand, with what waits for each to drain. */
  readonly #waiting = new Map<LinkId, () => void>();
  /** The transfer that a link is for: one that was asked for before is void, as is every one of a link that is gone. */
  readonly #current = new Map<LinkId, TransferTicket>();
  running = 0;

  constructor(ports: TransferPorts) {
    this.#ports = ports;
  }

  start(wanted: Wanted): void {
    this.running++;
    const { link, ticket } = wanted;
    this.#current.set(link, ticket);
    // One that still waits for the link to drain has to see that it is void.
    this.drained(link);
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
        if (present) this.#ports.failed(link, error instanceof Error ? error.message : String(error));
      },
    );
  }

  /** Whether it was the link's present one. */
  #end(link: LinkId, ticket: TransferTicket): boolean {
    return this.#current.get(link) === ticket && this.#current.delete(link);
  }

  drained(link: LinkId): void {
    const resume = this.#waiting.get(link);
    this.#waiting.delete(link);
    resume?.();
  }

  linkDown(link: LinkId): void {
    this.#current.delete(link);
    this.drained(link);
  }

  /** Resolves false when the link is gone, or for another transfer. */
  async #writable({ link, ticket }: Wanted): Promise<boolean> {
    const present = (): boolean => this.#current.get(link) === ticket;
    while (present() && !this.#ports.writable(link)) {
      await new Promise<void>((resolve) => this.#waiting.set(link, resolve));
    }
    return present();
  }

  async #history(wanted: Extract<Wanted, { kind: "sendHistory" }>): Promise<Zxid | undefined> {
    const { link, after, through } = wanted;
    for await (const batches of this.#ports.storage.sendHistory(after, through)) {
      if (!(await this.#writable(wanted))) return undefined;
      for (const batch of batches) this.#ports.send(link, { kind: "propose", batch });
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
      };
      for await (const chunk of chunks) {
        if (!(await this.#writable(wanted))) return undefined;
        if (held) send(held, false);
        held = chunk;
      }
      if (!(await this.#writable(wanted))) return undefined;
      send(held ?? new Uint8Array(0), true);
      return at;
    } finally {
      release();
    }
  }
}
