/**
 * Other protocols at this port, by their first four bytes. As lengths these would be beyond what any frame may have; their sender
 * has a wrong address, and is better told by name.
 */
import type { OtherPorts } from "./door.ts";

const requests = ["GET ", "PUT ", "HEAD", "POST", "DELE", "PATC", "OPTI", "TRAC", "CONN"] as const;
/** HTTP/2's preface, with which gRPC begins. */
const preface = "PRI ";

function intOf(letters: string): number {
  return [...letters].reduce((sum, letter) => (sum << 8) | letter.charCodeAt(0), 0);
}

const methods: ReadonlySet<number> = new Set(requests.map(intOf));

/** What came, and where it belongs; undefined: it is nothing that is known. */
export function strangerOf(
  first: number | undefined,
  port: number,
  others: OtherPorts | undefined,
): string | undefined {
  if (first === undefined) return undefined;
  const place = `came to the ZooKeeper port ${port}`;
  const at = (name: string, address: string | undefined): string => (address ? `; ${name} is at ${address}` : "");
  if (methods.has(first)) return `an HTTP request ${place}${at("REST", others?.rest)}`;
  if (first === intOf(preface)) return `an HTTP/2 connection ${place}${at("gRPC", others?.grpc)}`;
  // A record of a handshake, of SSL 3 or any TLS; the fourth byte is of its length.
  if (first >>> 8 >= 0x160300 && first >>> 8 <= 0x160304) return `a TLS handshake ${place}, which does not speak TLS`;
  return undefined;
}
