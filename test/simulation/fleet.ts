/** Many seeds in several processes at once: each takes the next piece of the range until one finds a violation. */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";

/** What a process prints of its piece, as one line of JSON. */
export interface Piece {
  readonly seeds: number;
  readonly counts?: Readonly<Record<string, number>>;
  readonly seed?: number;
  readonly message?: string;
}

export interface FleetOptions {
  readonly from: number;
  readonly seeds: number;
  /** Of the program that runs a piece; `--from`, `--seeds` and `--json` are added. */
  readonly command: readonly string[];
}

export interface FleetResult {
  readonly counts: ReadonlyMap<string, number>;
  /** The first that was found. */
  readonly violation: { readonly seed: number; readonly message: string } | undefined;
}

/** Seeds of one piece: long enough for the engine to get warm. */
export const pieceSeeds = 100;

/** Rejects if a process ends without a verdict. `told` hears of each piece that was clean. */
export async function runFleet(options: FleetOptions, told: (seedsDone: number) => void): Promise<FleetResult> {
  const counts = new Map<string, number>();
  const end = options.from + options.seeds;
  let next = options.from;
  let done = 0;
  let violation: FleetResult["violation"];
  const worker = async (): Promise<void> => {
    while (next < end && !violation) {
      const from = next;
      next = Math.min(end, from + pieceSeeds);
      const piece = await runPiece(options.command, from, next - from);
      if (piece.seed !== undefined) violation ??= { seed: piece.seed, message: piece.message ?? "" };
      for (const [name, count] of Object.entries(piece.counts ?? {})) counts.set(name, (counts.get(name) ?? 0) + count);
      done += piece.seeds;
      told(done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 8) }, worker));
  return { counts, violation };
}

async function runPiece(command: readonly string[], from: number, seeds: number): Promise<Piece> {
  const flags = ["--from", String(from), "--seeds", String(seeds), "--json"];
  const child = spawn(process.execPath, [...command, ...flags], { stdio: ["ignore", "pipe", "inherit"] });
  const stop = (): void => void child.kill("SIGKILL");
  process.once("exit", stop);
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  await new Promise((resolve) => child.once("close", resolve));
  process.removeListener("exit", stop);
  const line = printed.trim().split("\n").at(-1) ?? "";
  if (!line.startsWith("{")) throw new Error(`the process of seeds ${from} to ${from + seeds - 1} gave no verdict`);
  return JSON.parse(line) as Piece;
}
