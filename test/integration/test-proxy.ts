/**
 * A TCP proxy between two processes whose connections a test can freeze (no byte passes, one way or both; what was sent
 * arrives late, after `heal`), break, or refuse.
 */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** `there`: from who dialled to who is dialled; `back`: the other way. */
export type Way = "both" | "there" | "back";

interface Pair {
  readonly dialler: Socket;
  readonly target: Socket;
}

/** So many bytes may still pass that way, over all connections together; then nothing does, either way. */
interface Allowance {
  readonly way: "there" | "back";
  left: number;
  readonly spent: () => void;
}

export class TestProxy {
  readonly port: number;
  readonly address: string;
  readonly #server: Server;
  readonly #target: number;
  readonly #pairs = new Set<Pair>();
  #frozen: Way | undefined;
  #refuses = false;
  #delayMillis = 0;
  #allowance: Allowance | undefined;

  private constructor(server: Server, port: number, target: number) {
    this.#server = server;
    this.port = port;
    this.address = `127.0.0.1:${port}`;
    this.#target = target;
    server.on("connection", (dialler: Socket) => this.#connected(dialler));
  }

  /** Listens on a free port; passes everything on to `target`, a port of this machine. */
  static async start(target: number): Promise<TestProxy> {
    const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address !== "object" || !address) throw new Error("the proxy has no address");
    return new TestProxy(server, address.port, target);
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Connections stay, new ones are taken, too; but nothing passes the given way. */
  freeze(way: Way = "both"): void {
    this.#frozen = way;
    for (const pair of this.#pairs) this.#flow(pair);
  }

  /**
   * Lets exactly so many bytes more pass the given way, and then nothing, either way; resolves when it comes to that. Who
   * waits for it knows that the sender is in the midst of what it says, on any machine.
   */
  freezeAfter(way: "there" | "back", bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#allowance = { way, left: bytes, spent: resolve };
    });
  }

  /** Breaks all connections; new ones are closed at once. */
  cut(): void {
    this.#refuses = true;
    this.break();
  }

  /** Breaks all connections; whoever dials again is let through. */
  break(): void {
    for (const pair of this.#pairs) end(pair);
  }

  /** Every byte arrives so much later, in both ways; the order stays. */
  delay(millis: number): void {
    this.#delayMillis = millis;
  }

  /** As at the beginning. What waited in frozen connections arrives now. */
  heal(): void {
    this.#refuses = false;
    this.#frozen = undefined;
    this.#allowance = undefined;
    this.#delayMillis = 0;
    for (const pair of this.#pairs) this.#flow(pair);
  }

  async stop(): Promise<void> {
    this.cut();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  #connected(dialler: Socket): void {
    dialler.on("error", () => dialler.destroy());
    if (this.#refuses) {
      dialler.destroy();
      return;
    }
    const target = connect({ host: "127.0.0.1", port: this.#target, allowHalfOpen: true, noDelay: true });
    dialler.setNoDelay(true);
    const pair = { dialler, target };
    this.#pairs.add(pair);
    target.on("error", () => target.destroy());
    for (const socket of [dialler, target]) {
      socket.on("close", () => {
        this.#pairs.delete(pair);
        end(pair);
      });
    }
    const delay = (): number => this.#delayMillis;
    pass(dialler, target, delay, (bytes) => this.#allowed("there", dialler, bytes));
    pass(target, dialler, delay, (bytes) => this.#allowed("back", target, bytes));
    this.#flow(pair);
  }

  /** What of it may pass; the rest is as if it had not been read yet. */
  #allowed(way: "there" | "back", from: Socket, bytes: Buffer): Buffer {
    const allowance = this.#allowance;
    if (allowance?.way !== way) return bytes;
    if (bytes.length < allowance.left) {
      allowance.left -= bytes.length;
      return bytes;
    }
    this.#allowance = undefined;
    this.freeze();
    if (bytes.length > allowance.left) from.unshift(bytes.subarray(allowance.left));
    allowance.spent();
    return bytes.subarray(0, allowance.left);
  }

  #flow({ dialler, target }: Pair): void {
    hold(dialler, this.#frozen === "both" || this.#frozen === "there");
    hold(target, this.#frozen === "both" || this.#frozen === "back");
  }
}

function end({ dialler, target }: Pair): void {
  dialler.destroy();
  target.destroy();
}

const held = new WeakSet<Socket>();

function hold(from: Socket, frozen: boolean): void {
  if (frozen) {
    held.add(from);
    from.pause();
  } else {
    held.delete(from);
    from.resume();
  }
}

/** What a slow way holds at most; more waits with its sender. */
const slowBytes = 1_048_576;

function pass(from: Socket, to: Socket, delay: () => number, allowed: (bytes: Buffer) => Buffer): void {
  /** What is late, in order; nothing overtakes it. An empty piece is the end. */
  const late: { readonly due: number; readonly bytes: Buffer }[] = [];
  let lateBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const arrive = (bytes: Buffer): void => {
    if (bytes.length === 0) to.end();
    else if (!to.write(bytes)) from.pause();
  };
  const drain = (): void => {
    timer = undefined;
    const full = lateBytes >= slowBytes;
    for (let first = late[0]; first && first.due <= performance.now(); first = late[0]) {
      late.shift();
      lateBytes -= first.bytes.length;
      arrive(first.bytes);
    }
    if (full && lateBytes < slowBytes && !held.has(from)) from.resume();
    const [next] = late;
    if (next) timer = setTimeout(drain, Math.max(1, next.due - performance.now()));
  };
  const take = (bytes: Buffer): void => {
    const millis = delay();
    if (millis === 0 && late.length === 0) {
      arrive(bytes);
      return;
    }
    late.push({ due: Math.max(late.at(-1)?.due ?? 0, performance.now() + millis), bytes });
    lateBytes += bytes.length;
    if (lateBytes >= slowBytes) from.pause();
    timer ??= setTimeout(drain, Math.max(1, millis));
  };
  from.on("data", (bytes: Buffer) => {
    const passing = allowed(bytes);
    if (passing.length > 0) take(passing);
  });
  from.on("end", () => take(Buffer.alloc(0)));
  from.on("close", () => clearTimeout(timer));
  to.on("drain", () => {
    if (!held.has(from)) from.resume();
  });
}
