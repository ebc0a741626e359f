/**
 * The digest of the replicated state: an order-independent sum, kept incrementally, of two 32-bit hashes per record.
 * It finds replicas that have come apart by a fault; it is no defence against somebody who builds collisions.
 */

/** 32-bit FNV-1a of a string's code units. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** 32-bit FNV-1a of bytes: the same as `hashText` of the same bytes as a one-byte string. */
export function hashBytes(bytes: Uint8Array): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash;
}

/** Two independent 32-bit lanes that take integers; used for one record at a time. */
export class Hasher {
  a = 0;
  b = 0;

  begin(salt: number): void {
    this.a = Math.imul(salt + 1, 0x9e3779b1);
    this.b = Math.imul(salt + 1, 0x85ebca77) ^ 0x27d4eb2f;
  }

  /** Takes the low 32 bits. */
  int(value: number): void {
    const a = Math.imul(this.a ^ value, 0xcc9e2d51 | 0);
    this.a = (a << 13) | (a >>> 19);
    const b = Math.imul(this.b + value, 0x1b873593);
    this.b = b ^ (b >>> 15);
  }

  /** Takes all of a safe integer. */
  long(value: number): void {
    this.int(value | 0);
    this.int(Math.floor(value / 0x1_0000_0000));
  }

  text(value: string): void {
    this.int(value.length);
    this.int(hashText(value));
  }

  bytes(value: Uint8Array): void {
    this.int(value.length);
    this.int(hashBytes(value));
  }

  end(): void {
    this.a = finish(this.a);
    this.b = finish(this.b);
  }
}

function finish(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** The running sum over records. */
export class DigestSum {
  a = 0;
  b = 0;

  add(hasher: Hasher): void {
    this.a = (this.a + hasher.a) | 0;
    this.b = (this.b + hasher.b) | 0;
  }

  subtract(hasher: Hasher): void {
    this.a = (this.a - hasher.a) | 0;
    this.b = (this.b - hasher.b) | 0;
  }

  copy(): DigestSum {
    const sum = new DigestSum();
    sum.a = this.a;
    sum.b = this.b;
    return sum;
  }

  equals(other: DigestSum): boolean {
    return this.a === other.a && this.b === other.b;
  }
}

/** 16 hex digits. */
export function formatDigest(a: number, b: number): string {
  return (a >>> 0).toString(16).padStart(8, "0") + (b >>> 0).toString(16).padStart(8, "0");
}
