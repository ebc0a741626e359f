/**
 * What an ill or hostile client may send to ZooKeeper's port: whole conversations made from one seed. Frames that are right, a
 * little changed, cut, or of a length that lies; first frames that are none.
 */
import type { SeededRandom } from "../simulation/random.ts";
import { Knowledge } from "../zookeeper/back-to-back/knowledge.ts";
import { anyLoneRequest, anyRequest } from "../zookeeper/back-to-back/requests.ts";
import { connectRequest, framed, type WireConnectOptions } from "../zookeeper/wire-client.ts";
import { encodeRequest } from "../zookeeper/wire-codec.ts";
import type { WireRequest } from "../zookeeper/wire-records.ts";

export type ConversationKind = "changed" | "lying" | "cut" | "greeting" | "slow" | "deaf";

export interface Conversation {
  readonly kind: ConversationKind;
  /** In order, each written by itself; behind each it waits so long. */
  readonly writes: readonly { readonly bytes: Uint8Array; readonly waitMillis: number }[];
  readonly frames: number;
  /** The numbers under which it asks, in order; undefined: they were changed too. */
  readonly xids: readonly number[] | undefined;
  /** What the server owes: to close the connection; to answer the last number or close; nothing, for the client leaves. */
  readonly owes: "close" | "answer" | "nothing";
  /** How the client leaves. */
  readonly leaves: "end" | "reset";
  readonly reads: boolean;
}

/** Of the sessions: they are gone soon after. */
const timeoutMillis = 4_000;
/** A frame's length beyond which no server looks at it. */
const longestFrame = 1_048_575;
/** Numbers that are often wrong. */
const oddNumbers = [-1, -2, 0, 1, 4, 255, 65_535, longestFrame, longestFrame + 1, 0x7fffffff, -0x80000000, 0x01010101];
/** Number and opcode. */
const headerBytes = 8;
/** Of a hundred conversations. */
const shares: Readonly<Record<ConversationKind, number>> = {
  changed: 60,
  lying: 15,
  cut: 10,
  greeting: 12,
  slow: 2,
  deaf: 1,
};
/** Some are made by the requests themselves. */
const paths = ["/a", "/a/b", "/a/b/c", "/b", "/b/a", "/c", "/d", "/d/a"];
/** Large enough that a few hundred of them fill a socket. */
export const largeNode = { path: "/fuzz-large", bytes: 200_000 } as const;

export class Conversations {
  readonly #random: SeededRandom;
  /** The same few paths, so that most requests meet something. */
  readonly #known = new Knowledge();

  constructor(random: SeededRandom) {
    this.#random = random;
    for (const path of paths) this.#known.made(path);
  }

  next(): Conversation {
    switch (kindOf(this.#random.below(100))) {
      case "changed":
        return this.#changed();
      case "lying":
        return this.#lying();
      case "cut":
        return this.#cut();
      case "greeting":
        return this.#greeting();
      case "slow":
        return this.#slow();
      case "deaf":
        return this.#deaf();
    }
  }

  /** Half of the frames have something changed; the last one asks for an answer. */
  #changed(): Conversation {
    const random = this.#random;
    const xids: number[] = [];
    let isIntact = true;
    const frames = Array.from({ length: random.between(10, 120) }, (_, at) => {
      const request = this.#request();
      const xid = xidOf(request, at + 1);
      const bytes = encodeRequest(xid, request);
      if (random.chance(0.5)) return framed(bytes);
      const spoilt = this.#spoil(bytes);
      if (spoilt.length < 4 || spoilt.readInt32BE(0) !== xid) isIntact = false;
      return framed(spoilt);
    });
    const last = 1_000_000;
    frames.push(framed(encodeRequest(last, { op: "sync", path: "/" })));
    for (const frame of frames) if (frame.length >= 8) xids.push(frame.readInt32BE(4));
    return this.#conversation("changed", this.#chopped([greeting(), ...frames]), frames.length, {
      xids: isIntact ? xids : undefined,
      owes: "answer",
    });
  }

  /** A length that no frame has: whatever stands behind it, the connection is over. */
  #lying(): Conversation {
    const random = this.#random;
    const good = this.#good(random.below(5));
    const length = Buffer.alloc(4);
    const isShort = random.chance(0.3);
    length.writeInt32BE(
      isShort ? random.below(4) : random.pick([-1, -0x80000000, longestFrame + 1, 0x7fffffff, 0x16030100]),
    );
    const behind = Buffer.from(Array.from({ length: random.below(200) + 4 }, () => random.below(256)));
    return this.#conversation("lying", this.#chopped([greeting(), ...good, length, behind]), good.length + 1, {
      xids: undefined,
      owes: "close",
    });
  }

  /** It leaves in the middle of a frame that would be right, or would be large. */
  #cut(): Conversation {
    const random = this.#random;
    const good = this.#good(random.below(5));
    const [part = Buffer.alloc(0)] = this.#good(1);
    const large = Buffer.alloc(4 + random.below(100_000));
    large.writeInt32BE(longestFrame);
    const cut = random.chance(0.5) ? large : part.subarray(0, random.below(part.length));
    return this.#conversation("cut", this.#chopped([greeting(), ...good, cut]), good.length + 1, {
      xids: undefined,
      owes: "nothing",
    });
  }

  /** First frames that are none, or that are nobody's. */
  #greeting(): Conversation {
    const random = this.#random;
    const session = BigInt(random.next()) << BigInt(random.below(32));
    const connect = (more: WireConnectOptions): Buffer => connectRequest({ timeoutMillis, ...more });
    const spoilt = (): Buffer => {
      const bytes = this.#spoil(connect({}));
      // Whoever asks for longer is there for longer, and is waited for.
      if (bytes.length >= 16) bytes.writeInt32BE(timeoutMillis, 12);
      return bytes;
    };
    const strange = [
      () => framed(connect({ session, password: Buffer.alloc(16) })),
      () => framed(connect({ timeoutMillis: random.pick([-1, 0, 1, -0x80000000]), password: null })),
      () => framed(connect({ lastZxidSeen: 1n << 62n })),
      () => framed(connect({ password: Buffer.alloc(random.pick([0, 1, 15, 17, 900])), readOnly: null })),
      () => framed(spoilt()),
      () => framed(connect({})).subarray(0, random.between(1, 40)),
      () => Buffer.from("GET / HTTP/1.1\r\nhost: x\r\n\r\n"),
      () => Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
      () => Buffer.from(random.pick(["ruok", "srvr", "kill", "ruo", "mntrmntr", "xxxx", "stat\n"])),
      () => Buffer.from(Array.from({ length: random.between(1, 300) }, () => random.below(256))),
      () => Buffer.from([0x7f, 0xff, 0xff, 0xff, 0]),
    ];
    const bytes = random.pick(strange)();
    const behind = random.chance(0.5) ? this.#good(3) : [];
    return this.#conversation("greeting", this.#chopped([bytes, ...behind]), 1 + behind.length, {
      xids: undefined,
      owes: "nothing",
    });
  }

  /** Each byte by itself. */
  #slow(): Conversation {
    const bytes = Buffer.concat([greeting(), ...this.#good(2)]);
    const writes = Array.from(bytes, (each) => ({ bytes: Uint8Array.of(each), waitMillis: this.#random.below(20) }));
    return this.#conversation("slow", writes, 2, { xids: undefined, owes: "nothing" });
  }

  /** It asks for much, and reads nothing. */
  #deaf(): Conversation {
    const get: WireRequest = { op: "getData", path: largeNode.path, watch: false };
    const frames = Array.from({ length: 300 }, (_, at) => framed(encodeRequest(at + 1, get)));
    const writes = [{ bytes: Buffer.concat([greeting(), ...frames]), waitMillis: 500 }];
    return { ...this.#conversation("deaf", writes, 300, { xids: undefined, owes: "nothing" }), reads: false };
  }

  #conversation(
    kind: ConversationKind,
    writes: Conversation["writes"],
    frames: number,
    more: Pick<Conversation, "xids" | "owes">,
  ): Conversation {
    return { kind, writes, frames, ...more, leaves: this.#random.chance(0.5) ? "end" : "reset", reads: true };
  }

  #request(): WireRequest {
    const random = this.#random;
    const request = random.chance(0.05) ? anyLoneRequest(random, this.#known) : anyRequest(random, this.#known);
    // What ends the connection ends the conversation: mostly it goes on.
    return request.op === "auth" || request.op === "sasl" || request.op === "raw" ? { op: "ping" } : request;
  }

  #good(count: number): Buffer[] {
    return Array.from({ length: count }, (_, at) => framed(encodeRequest(at + 1, this.#request())));
  }

  /**
   * One thing behind its header is wrong, or two; seldom the header itself, which mostly ends the connection, and all that would
   * have been said on it.
   */
  #spoil(bytes: Buffer): Buffer {
    const random = this.#random;
    const isBody = bytes.length > headerBytes && !random.chance(0.01);
    const from = isBody ? headerBytes : 0;
    let spoilt = Buffer.from(bytes);
    for (let times = random.between(1, 2); times > 0 && spoilt.length > from; times--) {
      const at = random.between(from, spoilt.length - 1);
      const how = random.below(6);
      if (how < 2) spoilt[at] = random.below(256);
      else if (how < 4 && spoilt.length >= 4)
        spoilt.writeInt32BE(random.pick(oddNumbers), Math.max(0, Math.min(at, spoilt.length - 4)));
      else if (how === 4) spoilt = spoilt.subarray(0, at);
      else spoilt = Buffer.concat([spoilt, Buffer.alloc(random.below(50), random.below(256))]);
    }
    return spoilt;
  }

  /** In pieces that have nothing to do with the frames. */
  #chopped(parts: readonly Uint8Array[]): Conversation["writes"] {
    const random = this.#random;
    const bytes = Buffer.concat(parts);
    const writes: { bytes: Uint8Array; waitMillis: number }[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = at + random.pick([1, 3, 50, 1_000, 20_000, bytes.length]);
      writes.push({ bytes: bytes.subarray(at, end), waitMillis: 0 });
      at = end;
    }
    return writes;
  }
}

function kindOf(percent: number): ConversationKind {
  let left = percent;
  for (const [kind, share] of Object.entries(shares)) {
    left -= share;
    // The keys of `shares` are the kinds.
    if (left < 0) return kind as ConversationKind;
  }
  throw new Error("the shares are no hundred");
}

function greeting(): Buffer {
  return framed(connectRequest({ timeoutMillis }));
}

function xidOf(request: WireRequest, place: number): number {
  if (request.op === "ping") return -2;
  return request.op === "setWatches" || request.op === "setWatches2" ? -8 : place;
}
