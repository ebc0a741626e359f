/**
 * A session with curl as a page shows it, played: lines behind `$ ` are given to a shell, what stands below has to be answered.
 * Numbers, secrets, uuids and times are others each time: each stands for one thing wherever the session has it. `…` is anything.
 * Line breaks of the page are for the eye.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { delimiter } from "node:path";

export interface Step {
  readonly command: string;
  readonly expected: string;
}

export function stepsOf(block: string): Step[] {
  return block
    .split(/^\$ /m)
    .filter((part) => part.trim() !== "")
    .map((part) => {
      const lines = part.split("\n");
      const last = lines.findIndex((line) => !line.endsWith("\\"));
      return { command: lines.slice(0, last + 1).join("\n"), expected: lines.slice(last + 1).join("\n") };
    });
}

const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const time = "\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z";
/** In this order; the zxid of an answer is that of whatever was last. */
const kinds = [
  { written: '"zxid":"0x[0-9a-f]{16}"', pattern: '"zxid":"0x[0-9a-f]{16}"', binds: false },
  { written: "…", pattern: "[\\s\\S]*", binds: false },
  { written: uuid, pattern: uuid, binds: true },
  { written: time, pattern: time, binds: true },
  { written: "0x[0-9a-f]{16}", pattern: "0x[0-9a-f]{16}", binds: true },
  { written: "\\b[0-9a-f]{32}\\b", pattern: "[0-9a-f]{32}", binds: true },
  // As gRPC's JSON has a zxid.
  { written: '"[1-9]\\d{9,18}"', pattern: '"\\d+"', binds: true },
];
const varying = new RegExp(kinds.map(({ written }) => `(${written})`).join("|"), "g");

export class Bindings {
  readonly #bound = new Map<string, string>();

  /** With what stands here for what the page has. */
  fill(text: string): string {
    return text.replace(varying, (written) => this.#bound.get(written) ?? written);
  }

  /** Whether it is what the page has; then what was new in it is known from now on. */
  match(expected: string, actual: string): boolean {
    const names: string[] = [];
    let pattern = "";
    let at = 0;
    const flat = joined(expected);
    for (const found of flat.matchAll(varying)) {
      pattern += escaped(flat.slice(at, found.index)) + this.#patternOf(found, names);
      at = found.index + found[0].length;
    }
    const matched = new RegExp(`^${pattern}${escaped(flat.slice(at))}$`).exec(joined(actual));
    names.forEach((name, index) => {
      const value = matched?.[index + 1];
      if (value !== undefined) this.#bound.set(name, value);
    });
    return matched !== null;
  }

  #patternOf([written, ...groups]: readonly string[], names: string[]): string {
    const kind = kinds[groups.findIndex((group) => group !== undefined)];
    assert.ok(kind !== undefined && written !== undefined);
    if (!kind.binds) return kind.pattern;
    const bound = this.#bound.get(written);
    if (bound !== undefined) return escaped(bound);
    const place = names.indexOf(written);
    if (place >= 0) return `\\${place + 1}`;
    names.push(written);
    return `(${kind.pattern})`;
  }
}

function joined(text: string): string {
  return text.replace(/\s*\n\s*/g, "").trim();
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** What the page calls localhost:8080, and localhost:9090. */
export interface Doors {
  readonly rest: string;
  readonly grpc: string;
  /** A folder with programs that are not on the path. */
  readonly programs?: string;
}

/** All of a page, one step after the other; answers how many there were. */
export async function play(blocks: readonly string[], doors: Doors): Promise<number> {
  const bindings = new Bindings();
  const steps = blocks.flatMap(stepsOf);
  for (const { command, expected } of steps) {
    const filled = bindings.fill(command);
    const asked = filled.replaceAll("localhost:8080", doors.rest).replaceAll("localhost:9090", doors.grpc);
    const actual = await shell(asked, doors.programs ?? "");
    assert.ok(bindings.match(expected, actual), `$ ${asked}\n${actual}\nis not what the page has:\n${expected}`);
  }
  return steps.length;
}

/** What it prints, however it ends: a stream is ended by curl's own limit. */
function shell(command: string, programs: string): Promise<string> {
  const env = { ...process.env, PATH: `${process.env["PATH"]}${delimiter}${programs}` };
  return new Promise((resolve) => {
    execFile("sh", ["-c", command], { timeout: 120_000, env }, (_, stdout) => resolve(stdout.replaceAll("\r", "")));
  });
}
