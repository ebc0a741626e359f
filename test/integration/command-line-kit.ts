/** The command line as a process of its own: in a pipe, and on a terminal that is none (Python's pty). */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { until } from "./ensemble.ts";

const main = join(import.meta.dirname, "../../services/quorate/src/main.ts");
const runMillis = 120_000;

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly bytes: Buffer;
  readonly err: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** One that runs on until it ends or is ended. */
export class Command {
  err = "";
  readonly #chunks: Buffer[] = [];
  readonly #child: Child;
  readonly #closed: Promise<unknown>;

  constructor(program: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(program, [...args], { stdio: ["pipe", "pipe", "pipe"], env });
    this.#child.stdout.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.err += text;
    });
    // Who ends without reading what it is given does no harm.
    this.#child.stdin.on("error", () => undefined);
    this.#closed = once(this.#child, "close");
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get out(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }

  write(text: string | Uint8Array): void {
    this.#child.stdin.write(text);
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  closeOutput(): void {
    this.#child.stdout.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async says(what: string | RegExp, millis = 30_000): Promise<void> {
    const said = (): boolean => {
      const all = this.out + this.err;
      return typeof what === "string" ? all.includes(what) : what.test(all);
    };
    await until(() => said() || this.#child.exitCode !== null, millis, `it says ${what}: ${this.out}${this.err}`);
    if (!said()) throw new Error(`it ended without ${what}: ${this.out}${this.err}`);
  }

  async end(): Promise<Ended> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), runMillis);
    await this.#closed;
    clearTimeout(timer);
    const bytes = Buffer.concat(this.#chunks);
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null) throw new Error(`it was ended by ${signalCode}: ${this.err}`);
    return { code: exitCode, out: bytes.toString("utf8"), bytes, err: this.err };
  }
}

export class CommandLine {
  readonly #endpoint: string;
  readonly #started: Command[] = [];

  constructor(endpoints: readonly string[]) {
    this.#endpoint = endpoints.join(",");
  }

  start(args: readonly string[], env: RunOptions["env"] = {}): Command {
    return this.#note(new Command(process.execPath, [main, ...args], this.#environment(env)));
  }

  /** Ends what a test that failed has left. */
  stop(): void {
    for (const each of this.#started) each.signal("SIGKILL");
  }

  /** In a pipe, to its end. */
  async run(args: readonly string[], { input = "", env = {} }: RunOptions = {}): Promise<Ended> {
    const command = this.start(args, env);
    command.write(input);
    command.endInput();
    return command.end();
  }

  /** What it printed; it must succeed. */
  async out(...args: string[]): Promise<string> {
    const { code, out, err } = await this.run(args);
    if (code !== 0) throw new Error(`quorate ${args.join(" ")}: ${code}: ${err}`);
    return out;
  }

  /** On a terminal of that width. */
  terminal(args: readonly string[], columns = 80, env: RunOptions["env"] = {}): Command {
    const all = [pty, String(columns), process.execPath, main, ...args];
    return this.#note(new Command("python3", ["-c", ...all], { ...this.#environment(env), TERM: "xterm" }));
  }

  /** A shell's line in a pipe, in which `quorate` is the command. */
  async shell(line: string): Promise<Ended> {
    const script = `quorate() { '${process.execPath}' '${main}' "$@"; }\n${line}`;
    const command = new Command("bash", ["-c", script], this.#environment({}));
    command.endInput();
    return command.end();
  }

  #note(command: Command): Command {
    this.#started.push(command);
    return command;
  }

  #environment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
    const clean = Object.entries(process.env).filter(([name]) => !/^(QUORATE_|NO_COLOR|FORCE_COLOR)/.test(name));
    return { ...Object.fromEntries(clean), QUORATE_ENDPOINT: this.#endpoint, ...more };
  }
}

/** Its own input goes to the terminal as keys, what stands on the terminal to its output; it ends as the program does. */
const pty = `
import fcntl, os, pty, select, struct, sys, termios
columns, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, int(columns), 0, 0))
sources = [terminal, 0]
while terminal in sources:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:
            data = b""
        if not data:
            sources.remove(source)
        elif source == terminal:
            os.write(1, data)
        else:
            os.write(terminal, data)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
`;

/** Without colours and cursor movements. */
export function bare(text: string): string {
  return text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, "").replaceAll("\r\n", "\n");
}
