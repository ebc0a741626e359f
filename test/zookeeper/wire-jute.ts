/**
 * Jute's bytes as ZooKeeper's clients write and read them, for tests: made from zookeeper.jute and by itself, so that a mistake of
 * the door's own codec is not repeated here. It refuses what is not exactly the record.
 */

export class JuteWriter {
  readonly #parts: Buffer[] = [];

  int(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    this.#parts.push(bytes);
    return this;
  }

  long(value: bigint): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(value);
    this.#parts.push(bytes);
    return this;
  }

  bool(value: boolean): this {
    this.#parts.push(Buffer.from([value ? 1 : 0]));
    return this;
  }

  /** Null has the length -1. */
  buffer(value: Uint8Array | null): this {
    if (value === null) return this.int(-1);
    this.int(value.length);
    this.#parts.push(Buffer.from(value));
    return this;
  }

  string(value: string | null): this {
    return this.buffer(value === null ? null : Buffer.from(value, "utf8"));
  }

  vector<T>(values: readonly T[] | null, write: (value: T) => void): this {
    if (values === null) return this.int(-1);
    this.int(values.length);
    for (const each of values) write(each);
    return this;
  }

  strings(values: readonly string[] | null): this {
    return this.vector(values, (each) => this.string(each));
  }

  /** Bytes as they stand. */
  bytes(value: Uint8Array): this {
    this.#parts.push(Buffer.from(value));
    return this;
  }

  done(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

export class JuteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  int(): number {
    return this.#take(4).readInt32BE();
  }

  long(): bigint {
    return this.#take(8).readBigInt64BE();
  }

  bool(): boolean {
    const value = this.#take(1)[0];
    if (value !== 0 && value !== 1) throw new Error(`a boolean is ${value}`);
    return value === 1;
  }

  buffer(): Buffer | null {
    const length = this.int();
    if (length === -1) return null;
    return Buffer.from(this.#take(length));
  }

  string(): string {
    const text = this.nullableString();
    if (text === null) throw new Error("a string is null");
    return text;
  }

  nullableString(): string | null {
    const bytes = this.buffer();
    return bytes === null ? null : new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  }

  vector<T>(read: () => T): T[] {
    const length = this.int();
    if (length < -1 || length > this.left) throw new Error(`a vector of ${length} in ${this.left} bytes`);
    // Null, which some servers write for an empty one.
    if (length === -1) return [];
    return Array.from({ length }, read);
  }

  strings(): string[] {
    return this.vector(() => this.string());
  }

  rest(): Buffer {
    return Buffer.from(this.#take(this.left));
  }

  end(): void {
    if (this.left > 0) throw new Error(`${this.left} bytes too many behind a record`);
  }

  #take(length: number): Buffer {
    if (length < 0 || length > this.left) throw new Error(`${length} bytes were to be read of ${this.left}`);
    const part = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return part;
  }
}
