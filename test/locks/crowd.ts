/** The contenders of a run: processes, each behind proxies of its own, one before each door. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { TestProxy } from "../integration/test-proxy.ts";
import { type ContenderPlan, type FromContender, noCounts, type ToContender } from "./contender-messages.ts";

export interface CrowdPorts {
  readonly heard: (contender: Contender, message: FromContender) => void;
  /** REST ports. */
  readonly doors: readonly number[];
  readonly planOf: (name: string, doors: readonly string[]) => ContenderPlan;
}

export class Contender {
  readonly proxies: readonly TestProxy[];
  readonly plan: ContenderPlan;
  readonly name: string;
  counts = noCounts();
  /** The newest that it told of. */
  session = "";
  isDone = false;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #midst: (() => void) | undefined;

  private constructor(plan: ContenderPlan, proxies: readonly TestProxy[], heard: CrowdPorts["heard"]) {
    this.plan = plan;
    this.name = plan.name;
    this.proxies = proxies;
    this.#child = fork(join(import.meta.dirname, "contender.ts"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#ended = once(this.#child, "exit");
    this.#child.on("message", (message: FromContender) => {
      if (message.kind === "midst") this.#midst?.();
      else if (message.kind === "counts") this.counts = message.counts;
      else if (message.kind === "session") this.session = message.id;
      else if (message.kind === "done") this.isDone = true;
      heard(this, message);
    });
    this.tell({ kind: "begin", plan });
  }

  static async start(name: string, { heard, doors, planOf }: CrowdPorts): Promise<Contender> {
    const proxies = await Promise.all(doors.map((port) => TestProxy.start(port)));
    const plan = planOf(
      name,
      proxies.map((each) => `http://${each.address}`),
    );
    return new Contender(plan, proxies, heard);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  tell(message: ToContender): void {
    // One that has ended, or is about to, hears nothing.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  signal(name: NodeJS.Signals): void {
    if (this.isRunning) this.#child.kill(name);
  }

  /** True: it stands in the midst of a section, and waits to be told to go on. */
  async waitInMidst(millis: number): Promise<boolean> {
    const reached = new Promise<boolean>((resolve) => {
      this.#midst = () => resolve(true);
      setTimeout(() => resolve(false), millis).unref();
    });
    this.tell({ kind: "wait in midst" });
    return reached;
  }

  async end(): Promise<void> {
    this.signal("SIGKILL");
    await this.#ended;
    await Promise.all(this.proxies.map((each) => each.stop()));
  }
}
