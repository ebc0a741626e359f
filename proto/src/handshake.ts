/**
 * The first words on every internal stream. Both sides say who they are and prove that they know the shared key, or,
 * without one, that nobody but this machine can be talking.
 *
 *   client                                     server
 *   hello, nonce      ───────────────────────►
 *                     ◄───────────────────────  hello, nonce
 *   proof("client")   ───────────────────────►  checks it, and only then proves itself
 *                     ◄───────────────────────  proof("server")
 *
 * proof(role) = HMAC-SHA256(key, role | the client's hello | the server's hello), each behind its length; the hellos
 * are taken as the bytes they came as, nonces in them. The role keeps a proof from being sent back as one's own, the
 * nonces keep it from being used again. The stream itself stays in the clear: who can alter packets on the way needs
 * the mutual TLS that is to come.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { ReplicaId } from "@quorate/api";
import { isLoopbackAddress } from "./service.ts";
import type { FrameStream, StreamTimer, Timers } from "./stream.ts";

export const protocolVersion = 1;

export const handshakeLimits = {
  /** Of one handshake message. */
  helloBytes: 16_384,
  /** From the first word to the last. */
  millis: 5_000,
  textCharacters: 1_024,
} as const;

/** What each side says of itself first. */
export interface Hello {
  readonly protocol: number;
  readonly kind: "peer" | "gateway";
  /** Of a replica; 0: a gateway. */
  readonly id: ReplicaId;
  readonly name: string;
  /** Empty before the birth, and of a gateway that has not met an ensemble. */
  readonly ensembleId: string;
  readonly historyId: string;
  readonly version: string;
  /**
   * The highest rules version that it knows; of a gateway the newest whose forms it may write, and 0 of one that was made
   * before gateways asked which rules hold.
   */
  readonly rules: number;
  /** Of a replica: by which rules it applies. Those made before this was said say nothing. */
  readonly held?: number;
  /** Where others reach it on its peer port; empty: nowhere. */
  readonly address: string;
}

export interface HandshakeOptions {
  readonly hello: Hello;
  /** The shared key; without it only loopback is spoken with. */
  readonly key?: Uint8Array;
  /** What the other side must be. */
  readonly expect: Hello["kind"];
  readonly timers: Timers;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Further reasons to refuse: unknown ids, another history. Undefined: welcome. */
  readonly judge?: (hello: Hello) => string | undefined;
}

export type HandshakeResult = { readonly hello: Hello } | { readonly refused: string };

/** The side that was called. `done` is called once; with a hello it must call `stream.listen` before it returns. */
export function acceptHandshake(
  stream: FrameStream,
  options: HandshakeOptions,
  done: (result: HandshakeResult) => void,
): void {
  new Handshake(stream, options, "server", done).begin();
}

/** The side that dialled; as `acceptHandshake`. */
export function offerHandshake(
  stream: FrameStream,
  options: HandshakeOptions,
  done: (result: HandshakeResult) => void,
): void {
  new Handshake(stream, options, "client", done).begin();
}

type Role = "client" | "server";

class Handshake {
  readonly #stream: FrameStream;
  readonly #options: HandshakeOptions;
  readonly #role: Role;
  readonly #done: (result: HandshakeResult) => void;
  readonly #mine: Uint8Array;
  #theirs: Uint8Array | undefined;
  #hello: Hello | undefined;
  #timer: StreamTimer | undefined;
  #over = false;

  constructor(stream: FrameStream, options: HandshakeOptions, role: Role, done: (result: HandshakeResult) => void) {
    this.#stream = stream;
    this.#options = options;
    this.#role = role;
    this.#done = done;
    this.#mine = toBytes({ ...options.hello, keyed: options.key !== undefined, nonce: hex(options.randomBytes(32)) });
  }

  begin(): void {
    this.#stream.listen({
      received: (messages) => this.#received(messages),
      drained: () => undefined,
      closed: (reason) => this.#refused(reason),
    });
    if (this.#stream.closed) {
      this.#refused("the stream was closed");
      return;
    }
    const { millis } = handshakeLimits;
    this.#timer = this.#options.timers.after(millis, () => this.#refuse(`no whole handshake within ${millis} ms`));
    const fault = this.#role === "server" ? this.#strangerFault() : undefined;
    if (fault === undefined) this.#say(this.#mine);
    else this.#refuse(fault);
  }

  #received(messages: readonly Uint8Array[]): void {
    for (let i = 0; i < messages.length; i++) {
      if (this.#over) return;
      const message = messages[i] as Uint8Array;
      if (message.length > handshakeLimits.helloBytes) this.#refuse("the hello is too large");
      else if (this.#theirs === undefined) this.#takeHello(message);
      else if (this.#takeProof(message)) {
        this.#welcome(messages.slice(i + 1));
        return;
      }
    }
  }

  #takeHello(message: Uint8Array): void {
    const parsed = parseHello(message);
    if (typeof parsed === "string") this.#refuse(parsed);
    else if ("refused" in parsed) this.#end(parsed.refused);
    else {
      const fault = this.#faultOf(parsed.hello, parsed.keyed);
      if (fault !== undefined) {
        this.#refuse(fault);
        return;
      }
      // A copy: the frame is not ours to keep.
      this.#theirs = Uint8Array.from(message);
      this.#hello = parsed.hello;
      if (this.#role === "client") this.#say(this.#proof("client"));
    }
  }

  #faultOf(hello: Hello, keyed: boolean): string | undefined {
    const own = this.#options.hello;
    if (hello.protocol !== protocolVersion) {
      return `${describeHello(hello)} speaks protocol ${hello.protocol}, this side ${protocolVersion}`;
    }
    if (hello.kind !== this.#options.expect) {
      return `${describeHello(hello)} is a ${hello.kind}, expected was a ${this.#options.expect}`;
    }
    const ours = this.#options.key !== undefined;
    if (keyed !== ours) return keyed ? "the other side has a key, this side has none" : "a key is required here";
    const stranger = this.#strangerFault();
    if (stranger !== undefined) return stranger;
    if (hello.ensembleId !== "" && own.ensembleId !== "" && hello.ensembleId !== own.ensembleId) {
      return `${describeHello(hello)} belongs to the ensemble ${hello.ensembleId}, this side to ${own.ensembleId}`;
    }
    return this.#options.judge?.(hello);
  }

  /** Without a key everybody is believed: then nobody from elsewhere is spoken with. */
  #strangerFault(): string | undefined {
    if (this.#options.key !== undefined || isLoopbackAddress(this.#stream.remote)) return undefined;
    return `without a key this side speaks with its own machine only, not with ${this.#stream.remote}`;
  }

  /** True: it is right, and the handshake is whole. */
  #takeProof(message: Uint8Array): boolean {
    const record = parseRecord(message);
    if (typeof record?.refused === "string") {
      this.#end(plain(record.refused));
      return false;
    }
    const proof = record?.proof;
    const expected = this.#proofText(this.#role === "client" ? "server" : "client");
    if (typeof proof !== "string" || !sameText(proof, expected)) {
      this.#refuse("the proof is wrong: the keys differ");
      return false;
    }
    if (this.#role === "server") this.#say(this.#proof("server"));
    return true;
  }

  #proof(role: Role): Uint8Array {
    return toBytes({ proof: this.#proofText(role) });
  }

  /** Empty without a key. */
  #proofText(role: Role): string {
    const { key } = this.#options;
    if (key === undefined) return "";
    const [client, server] = this.#role === "client" ? [this.#mine, this.#theirs] : [this.#theirs, this.#mine];
    const hmac = createHmac("sha256", key);
    for (const part of [
      Buffer.from(`quorate.internal.v1 ${role}`),
      client ?? Buffer.alloc(0),
      server ?? Buffer.alloc(0),
    ]) {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(part.length);
      hmac.update(length).update(part);
    }
    return hmac.digest("hex");
  }

  #say(message: Uint8Array): void {
    this.#stream.send(message);
    this.#stream.flush();
  }

  #welcome(rest: readonly Uint8Array[]): void {
    const hello = this.#hello;
    if (hello === undefined) return;
    this.#finish();
    this.#stream.markTrusted();
    this.#done({ hello });
    this.#stream.deliver(rest);
  }

  /** Says why, closes, and reports it. */
  #refuse(why: string): void {
    if (this.#over) return;
    this.#say(toBytes({ refused: why }));
    this.#end(why);
  }

  #end(why: string): void {
    if (this.#over) return;
    this.#finish();
    this.#stream.close(why);
    this.#done({ refused: why });
  }

  /** The stream closed by itself. */
  #refused(why: string): void {
    if (this.#over) return;
    this.#finish();
    this.#done({ refused: why });
  }

  #finish(): void {
    this.#over = true;
    this.#timer?.cancel();
  }
}

/** For notes: `replica 2`, `gateway g1`. */
export function describeHello(hello: Hello): string {
  return hello.kind === "peer" ? `replica ${hello.id}` : `gateway ${hello.name}`;
}

function toBytes(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value), "utf8");
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function sameText(given: string, expected: string): boolean {
  const left = Buffer.from(given);
  const right = Buffer.from(expected);
  return left.length === right.length && timingSafeEqual(left, right);
}

function parseRecord(message: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(message.buffer, message.byteOffset, message.length).toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** The other side's hello, or its refusal, or what is wrong with it. */
function parseHello(message: Uint8Array): { hello: Hello; keyed: boolean } | { refused: string } | string {
  const record = parseRecord(message);
  if (record === undefined) return "the first message is no hello";
  const { refused, protocol, kind, id, rules, held, keyed, nonce } = record;
  if (typeof refused === "string") return { refused: plain(refused) };
  if (typeof protocol !== "number" || !Number.isInteger(protocol)) return "the hello has no protocol version";
  if (kind !== "peer" && kind !== "gateway") return "the hello is of no known kind";
  if (!isCount(id, 255) || !isCount(rules, 65_535)) return "the hello's id or rules version is no such number";
  if (typeof keyed !== "boolean" || typeof nonce !== "string" || !/^[0-9a-f]{64}$/.test(nonce)) {
    return "the hello has no nonce";
  }
  const texts: Record<string, string> = {};
  for (const name of ["name", "ensembleId", "historyId", "version", "address"]) {
    const value = record[name];
    if (typeof value !== "string" || value !== plain(value)) return `the hello has no proper ${name}`;
    texts[name] = value;
  }
  const { name = "", ensembleId = "", historyId = "", version = "", address = "" } = texts;
  const hello: Hello = { protocol, kind, id, name, ensembleId, historyId, version, rules, address };
  return { hello: isCount(held, 65_535) ? { ...hello, held } : hello, keyed };
}

/** One line of limited length: these texts go into the log. */
function plain(text: string): string {
  return text.slice(0, handshakeLimits.textCharacters).replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, "?");
}

function isCount(value: unknown, limit: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= limit;
}
