/**
 * What the load sends, encoded once before it begins: a ring of frames for each connection, whose places are used again and
 * again. A place is sent again only after its answer came, so a create's name can be written into it anew.
 */

export const works = ["get", "set", "create", "mixed"] as const;
export type Work = (typeof works)[number];

/** Znodes that are read and set, and the bytes of each. */
export const znodes = 1000;
const dataBytes = 100;
const root = "/bench";
const nameDigits = 9;
const opcodes = { create: 1, getData: 4, setData: 5, sync: 9, closeSession: -11 } as const;

export interface Frames {
  readonly bytes: Buffer;
  /** Where each frame begins; one more at the end. */
  readonly starts: Int32Array;
  readonly count: number;
  /** Of creates: where each frame's number stands; else undefined. */
  readonly digits: Int32Array | undefined;
}

class Bytes {
  readonly #parts: Buffer[] = [];

  int(value: number): this {
    const part = Buffer.alloc(4);
    part.writeInt32BE(value);
    this.#parts.push(part);
    return this;
  }

  long(value: bigint): this {
    const part = Buffer.alloc(8);
    part.writeBigInt64BE(value);
    this.#parts.push(part);
    return this;
  }

  /** A string or a buffer. */
  sized(value: string | Buffer): this {
    const part = Buffer.from(value);
    this.int(part.length).#parts.push(part);
    return this;
  }

  flag(value: boolean): this {
    this.#parts.push(Buffer.of(value ? 1 : 0));
    return this;
  }

  /** With its length before it. */
  frame(): Buffer {
    const body = Buffer.concat(this.#parts);
    return new Bytes().sized(body).raw();
  }

  raw(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

export function connectFrame(timeoutMillis: number): Buffer {
  return new Bytes().int(0).long(0n).int(timeoutMillis).long(0n).sized(Buffer.alloc(16)).flag(false).frame();
}

export function closeFrame(xid: number): Buffer {
  return new Bytes().int(xid).int(opcodes.closeSession).frame();
}

function getFrame(xid: number, path: string): Buffer {
  return new Bytes().int(xid).int(opcodes.getData).sized(path).flag(false).frame();
}

function setFrame(xid: number, path: string): Buffer {
  return new Bytes().int(xid).int(opcodes.setData).sized(path).sized(Buffer.alloc(dataBytes, 120)).int(-1).frame();
}

export function createFrame(xid: number, path: string): Buffer {
  const request = new Bytes().int(xid).int(opcodes.create).sized(path).sized(Buffer.alloc(dataBytes, 120));
  // One entry: all rights, world:anyone; a persistent znode.
  return request.int(1).int(31).sized("world").sized("anyone").int(0).frame();
}

/** A ring of frames that is sent once. */
export function framesOnce(frames: readonly Buffer[]): Frames {
  const starts = new Int32Array(frames.length + 1);
  for (const [at, frame] of frames.entries()) starts[at + 1] = (starts[at] as number) + frame.length;
  return { bytes: Buffer.concat(frames), starts, count: frames.length, digits: undefined };
}

export function syncFrame(xid: number): Buffer {
  return new Bytes().int(xid).int(opcodes.sync).sized("/").frame();
}

export function znodePath(at: number): string {
  return `${root}/k${String(at).padStart(4, "0")}`;
}

/** What has to be there before a work begins. */
export function prepared(work: Work, parent: string): string[] {
  return work === "create" ? [parent] : [root, ...Array.from({ length: znodes }, (_, at) => znodePath(at))];
}

export function parentOf(run: string, connection: number): string {
  return `/bench-${run}-${connection}`;
}

/** Same seed, same order of znodes: both sides are asked the same. */
function createRandom(seed: number): () => number {
  let state = seed * 2_654_435_761 + 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export function framesOf(work: Work, seed: number, parent: string): Frames {
  const random = createRandom(seed);
  const frames = Array.from({ length: znodes }, (_, at) => {
    const xid = at + 1;
    const path = znodePath(Math.floor(random() * znodes));
    if (work === "create") return createFrame(xid, `${parent}/${"0".repeat(nameDigits)}`);
    if (work === "set") return setFrame(xid, path);
    if (work === "get") return getFrame(xid, path);
    return at % 10 < 7 ? getFrame(xid, path) : setFrame(xid, path);
  });
  if (work === "mixed") mix(frames, random);
  const once = framesOnce(frames);
  // Length, xid, opcode, length of the path; then the path, whose last digits are the number.
  const digits = work === "create" ? once.starts.map((start) => start + 16 + parent.length + 1) : undefined;
  return { ...once, digits };
}

/** Shuffled, with the xids in order again. */
function mix(frames: Buffer[], random: () => number): void {
  for (let at = frames.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [frames[at], frames[other]] = [frames[other] as Buffer, frames[at] as Buffer];
  }
  for (const [at, frame] of frames.entries()) frame.writeInt32BE(at + 1, 4);
}

/** Writes a create's number into its frame. */
export function writeNumber(bytes: Buffer, from: number, number: number): void {
  let rest = number;
  for (let at = from + nameDigits - 1; at >= from; at--) {
    bytes[at] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}
