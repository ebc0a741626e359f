/** What was played and met, so that a run shows that it was not empty. */
import type { WireRequest } from "../wire-records.ts";
import type { Entry } from "./side.ts";
import type { Step } from "./step.ts";

export class Tally {
  operations = 0;
  rounds = 0;
  events = 0;
  /** Told to clients that came back, by the first side and by the second. */
  readonly missedEvents: [number, number] = [0, 0];
  readonly steps = new Map<Step["kind"], number>();
  /** By opcode: how often it went well, and each error's number. */
  readonly outcomes = new Map<WireRequest["op"], Map<number, number>>();
  /** By the name of the difference that is meant. */
  readonly meantByName = new Map<string, number>();

  played(step: Step): void {
    this.operations += step.kind === "send" ? step.requests.length : 1;
    raise(this.steps, step.kind);
  }

  told(entry: Entry): void {
    if (entry.kind === "event") this.events++;
    if (entry.kind !== "reply") return;
    const { op } = entry.request;
    const outcomes = this.outcomes.get(op) ?? new Map<number, number>();
    this.outcomes.set(op, outcomes);
    raise(outcomes, entry.reply.error);
  }

  missed(a: number, b: number): void {
    this.missedEvents[0] += a;
    this.missedEvents[1] += b;
  }

  meant(name: string): void {
    raise(this.meantByName, name);
  }

  summary(): string {
    const lines = [...this.outcomes].map(([op, outcomes]) => {
      const each = [...outcomes]
        .sort(([a], [b]) => b - a)
        .map(([error, count]) => `${error === 0 ? "ok" : error} ${count}`);
      return `  ${op}: ${each.join(", ")}`;
    });
    const steps = [...this.steps].map(([kind, count]) => `${kind} ${count}`).join(", ");
    const meant = [...this.meantByName].map(([name, count]) => `  meant: ${name}: ${count}`);
    const head = `${this.operations} operations, ${this.events} events, ${this.missedEvents.join("/")} missed ones, ${this.rounds} rounds (${steps})`;
    return [head, ...lines.sort(), ...meant].join("\n");
  }
}

function raise<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
