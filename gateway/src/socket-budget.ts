/**
 * The sockets that the doors of one process may have together. Each door has its own limit, but all of them draw on the
 * process's open files: without a common bound, idle connections would take the descriptor that the log's next segment needs,
 * and the replica would stop. Some of the room is kept for each door, so that one whose clients leak connections does not
 * shut out the others: operators need REST just then.
 */
import { assert } from "@quorate/api";

export const budgetLimits = {
  /** Of what all have, the part that is kept for each door. */
  keptPart: 1 / 8,
  /** And for REST's refusals, which are answered before they are closed. */
  refusalsPart: 1 / 16,
  /** Refusals are logged so often at most. */
  noteMillis: 1000,
} as const;

export const doorNames = ["rest", "grpc", "zookeeper"] as const;
export type DoorName = (typeof doorNames)[number];

const spoken: Readonly<Record<DoorName, string>> = { rest: "REST", grpc: "gRPC", zookeeper: "ZooKeeper" };

export interface SocketBudgetOptions {
  /** What all may have together, Infinity where nobody knows; and what the process may open at all, for the log. */
  readonly sockets: number;
  readonly files: number;
  /** Each door's own limit, 0 for one that is not served, and how many refusals REST answers at a time. */
  readonly wanted: Readonly<Record<DoorName | "refusals", number>>;
  /** Monotonic milliseconds. */
  now(): number;
  log(line: string): void;
}

interface Share {
  readonly most: number;
  readonly kept: number;
  taken: number;
  refused: number;
}

export class SocketBudget {
  readonly #options: SocketBudgetOptions;
  readonly #shares: Readonly<Record<DoorName | "refusals", Share>>;
  #notedAt = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  /** For a door by itself, which has nothing but its own limit. */
  static alone(
    wanted: Partial<SocketBudgetOptions["wanted"]>,
    options: Pick<SocketBudgetOptions, "log">,
  ): SocketBudget {
    const none = { rest: 0, grpc: 0, zookeeper: 0, refusals: 0 };
    const files = Number.POSITIVE_INFINITY;
    return new SocketBudget({ sockets: files, files, wanted: { ...none, ...wanted }, now: () => 0, log: options.log });
  }

  constructor(options: SocketBudgetOptions) {
    const { sockets, wanted } = options;
    const share = (most: number, part: number): Share => {
      return { most, kept: Math.min(most, Math.floor(sockets * part)), taken: 0, refused: 0 };
    };
    const refusals = share(wanted.refusals, budgetLimits.refusalsPart);
    this.#options = options;
    this.#shares = {
      rest: share(wanted.rest, budgetLimits.keptPart),
      grpc: share(wanted.grpc, budgetLimits.keptPart),
      zookeeper: share(wanted.zookeeper, budgetLimits.keptPart),
      // They have what is kept for them, and no more.
      refusals: { ...refusals, most: refusals.kept },
    };
    assert(this.#spoken() <= sockets, "what is kept for each is there");
  }

  /** One more socket of a door, which gives it back when that is closed; false: it is to be refused. */
  take(door: DoorName): boolean {
    const share = this.#shares[door];
    if (share.taken < share.most && (share.taken < share.kept || this.#spoken() < this.#options.sockets)) {
      share.taken += 1;
      return true;
    }
    share.refused += 1;
    if (share.taken < share.most) this.#note(door);
    return false;
  }

  give(door: DoorName): void {
    this.#give(this.#shares[door]);
  }

  /** A socket of REST's that is refused, and is told so first; false: it is closed at once. */
  takeRefusal(): boolean {
    const share = this.#shares.refusals;
    if (share.taken >= share.most) return false;
    share.taken += 1;
    return true;
  }

  giveRefusal(): void {
    this.#give(this.#shares.refusals);
  }

  /** Open connections of a door, and those that it refused, for whatever reason of number. */
  of(door: DoorName): { readonly connections: number; readonly refused: number } {
    const { taken, refused } = this.#shares[door];
    return { connections: taken, refused };
  }

  #give(share: Share): void {
    assert(share.taken > 0, "nobody gives back what was not taken");
    share.taken -= 1;
  }

  /** Taken, or kept for somebody. */
  #spoken(): number {
    let all = 0;
    for (const { taken, kept } of Object.values(this.#shares)) all += Math.max(taken, kept);
    return all;
  }

  #note(door: DoorName): void {
    const { files, log, now } = this.#options;
    const at = now();
    if (at - this.#notedAt < budgetLimits.noteMillis) {
      this.#unsaid += 1;
      return;
    }
    const open = doorNames.map((each) => `${spoken[each]} ${this.#shares[each].taken}`).join(", ");
    const more = this.#unsaid === 0 ? "" : ` (and ${this.#unsaid} more like it)`;
    const cause = `the limit of ${files} open files leaves the ports no more connections (${open})`;
    log(
      `the ${spoken[door]} port refused a connection: ${cause}; raise it: ulimit -n, or LimitNOFILE= of systemd${more}`,
    );
    this.#notedAt = at;
    this.#unsaid = 0;
  }
}
