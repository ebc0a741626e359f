/** Addresses of ACL scheme `ip`: `10.0.0.7`, `10.0.0.0/8`, `2001:db8::1`, `2001:db8::/32`. */

/** 4 or 16 bytes; undefined for what is no address. */
function parseAddress(text: string): readonly number[] | undefined {
  return text.includes(":") ? parseV6(text) : parseV4(text);
}

function parseV4(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes: number[] = [];
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined;
    bytes.push(Number(part));
  }
  return bytes;
}

function parseV6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const front = groups(halves[0] as string);
  const back = halves.length === 2 ? groups(halves[1] as string) : [];
  if (front === undefined || back === undefined) return undefined;
  const missing = 16 - front.length - back.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined;
  return [...front, ...new Array<number>(missing).fill(0), ...back];
}

/** The bytes of colon-separated groups; the last may be an IPv4 address. */
function groups(text: string): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1 && part.includes(".")) {
      const v4 = parseV4(part);
      if (v4 === undefined) return undefined;
      bytes.push(...v4);
      continue;
    }
    if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
    const value = Number.parseInt(part, 16);
    bytes.push(value >> 8, value & 255);
  }
  return bytes.length <= 16 ? bytes : undefined;
}

interface Network {
  readonly bytes: readonly number[];
  readonly bits: number;
}

function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf("/");
  const bytes = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (bytes === undefined) return undefined;
  const most = bytes.length * 8;
  if (slash < 0) return { bytes, bits: most };
  const bits = text.slice(slash + 1);
  return /^\d{1,3}$/.test(bits) && Number(bits) <= most ? { bytes, bits: Number(bits) } : undefined;
}

export function isNetwork(text: string): boolean {
  return parseNetwork(text) !== undefined;
}

/** An IPv4 address in IPv6's clothes (`::ffff:10.0.0.7`) is the IPv4 address. */
function unmapped(bytes: readonly number[]): readonly number[] {
  const mapped = bytes.length === 16 && bytes[10] === 255 && bytes[11] === 255;
  return mapped && bytes.slice(0, 10).every((each) => each === 0) ? bytes.slice(12) : bytes;
}

/** Whether `address` lies in `network`, an address with or without `/bits`. */
export function isInNetwork(address: string, network: string): boolean {
  const of = parseNetwork(network);
  const parsed = parseAddress(address);
  if (of === undefined || parsed === undefined) return false;
  const bytes = of.bytes.length === 4 ? unmapped(parsed) : parsed;
  if (bytes.length !== of.bytes.length) return false;
  for (let bit = 0; bit < of.bits; bit += 8) {
    const mask = of.bits - bit >= 8 ? 255 : (255 << (8 - (of.bits - bit))) & 255;
    const index = bit >> 3;
    if ((((bytes[index] as number) ^ (of.bytes[index] as number)) & mask) !== 0) return false;
  }
  return true;
}
