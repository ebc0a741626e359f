/** Random paths, names, lists of rights, data and numbers for requests: mostly sensible, sometimes not. */
import { createHash } from "node:crypto";
import type { SeededRandom } from "../../simulation/random.ts";
import { createFlags, openAcl, permissions, type WireAcl } from "../wire-records.ts";

const names = ["a", "b", "c", "d"];
const oddNames = ["é", "Ω", "with space", "-", "long-".repeat(12), "zookeeper_limits"];
/** A server that takes one of these, or another fault for it than the other, is found out. */
const badPaths: readonly (string | null)[] = [
  null,
  "a",
  "/a/",
  "//",
  "//a",
  "/a//b",
  "/.",
  "/..",
  "/a/.",
  "/a/..",
  "/a/./b",
  "/a/../b",
  "/a\u0000",
  "/\u0001",
  "/a\u001f",
  "/a\u007f",
  "/a\u009f",
  "/a\uf8ff",
  "/a\ufff0",
  "/a\uffff",
  "/a\u{1f600}",
];
const oddPaths = [
  "/",
  "/...",
  "/a\u00a0",
  "/a\uf900",
  "/.a",
  "/a.",
  "/zookeeper",
  "/zookeeper/config",
  "/zookeeper/none",
];

export const users = ["ann:one", "bob:two", "super:secret"] as const;

export function digestOf(user: string): string {
  const name = user.slice(0, user.indexOf(":"));
  return `${name}:${createHash("sha1").update(user).digest("base64")}`;
}

/** `known` are the paths that are believed to exist. */
export function anyPath(random: SeededRandom, known: readonly string[]): string | null {
  const at = random.below(100);
  if (at < 78 && known.length > 0) return random.pick(known);
  if (at < 94) return newPath(random, known);
  if (at < 97) return random.pick(oddPaths);
  return random.pick(badPaths);
}

/** One that may exist. */
export function anyGoodPath(random: SeededRandom, known: readonly string[]): string {
  return known.length > 0 && random.chance(0.8) ? random.pick(known) : newPath(random, known);
}

/** A child of something known, or of the root. */
export function newPath(random: SeededRandom, known: readonly string[]): string {
  const shallow = known.filter((each) => each.split("/").length < 5);
  const parent = shallow.length > 0 && random.chance(0.6) ? random.pick(shallow) : "";
  return `${parent}/${random.pick(random.chance(0.85) ? names : oddNames)}`;
}

/** Soft limits refuse nothing. */
export function quotaText(random: SeededRandom, isHard: boolean): Buffer {
  const number = (): number => random.pick([-1, 0, 1, 2, 3, 5, 20, 200]);
  const hard = isHard ? `=;byteHardLimit=${number()};countHardLimit=${number()}` : "";
  return Buffer.from(`count=${number()},bytes=${number()}${hard}`);
}

export function anyData(random: SeededRandom): Buffer | null {
  const at = random.below(20);
  if (at === 0) return null;
  if (at < 3) return Buffer.alloc(0);
  if (at === 3) return Buffer.alloc(random.between(100, 3_000), random.below(256));
  return Buffer.from(`value ${random.below(1_000)}`);
}

/** `versions` are some that were seen. */
export function anyVersion(random: SeededRandom, seen: number | undefined): number {
  const at = random.below(20);
  if (at < 11) return -1;
  if (at < 16 && seen !== undefined) return seen;
  return random.pick([0, 1, 2, 3, 7, -2, 2147483647, -2147483648]);
}

export function anyFlags(random: SeededRandom): number {
  const at = random.below(40);
  if (at < 20) return createFlags.persistent;
  if (at < 27) return createFlags.ephemeral;
  if (at < 32) return createFlags.persistentSequential;
  if (at < 37) return createFlags.ephemeralSequential;
  return random.pick([-1, 5, 6, 7, 100]);
}

export function anyAcl(random: SeededRandom): readonly WireAcl[] | null {
  if (random.chance(0.8)) return openAcl;
  if (random.chance(0.04)) return null;
  const length = random.pick([0, 1, 1, 1, 1, 2, 2, 3]);
  return Array.from({ length }, () => anyEntry(random));
}

function anyEntry(random: SeededRandom): WireAcl {
  const bits = random.pick([permissions.all, permissions.all, 1, 2, 4, 8, 16, 15, 0, random.below(32)]);
  const [scheme, id] = random.pick(ids(random));
  return { permissions: bits, scheme: scheme ?? null, id: id ?? null };
}

function ids(random: SeededRandom): readonly (readonly (string | null)[])[] {
  const good = [
    ["world", "anyone"],
    ["auth", ""],
    ["digest", digestOf(random.pick(users))],
    ["ip", "127.0.0.1"],
    ["ip", "127.0.0.0/8"],
    ["ip", "10.1.2.3"],
  ];
  const bad = [
    ["world", "nobody"],
    ["world", ""],
    ["auth", "anything"],
    ["digest", "no-colon"],
    ["digest", "a:b:c"],
    ["digest", ""],
    ["ip", "not an address"],
    ["ip", "127.0.0.1/33"],
    ["ip", "127.0.0.1/"],
    ["ip", "::1"],
    ["x509", "CN=somebody"],
    ["sasl", "somebody"],
    ["super", "super"],
    ["", "anyone"],
    ["none", "x"],
  ];
  return random.chance(0.75) ? good : bad;
}
