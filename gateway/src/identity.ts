/**
 * Who asks, from what a door was shown: Basic credentials become ZooKeeper's digest identity, the socket's peer the ip
 * identity. Nothing is looked up: a password is right when the hash it gives is the one that an ACL (or the super
 * user's digest) names, so that a wrong password is another identity and not a refusal. Only credentials that cannot be
 * read are refused.
 */

import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { BlockList, isIP, isIPv6 } from "node:net";
import type { AuthId, Identity } from "@quorate/api";

/** `field`: the credentials themselves, or the address that a proxy gave. */
export type BadCredentials = { readonly bad: string; readonly field: "credentials" | "address" };

/** A bounded memory: the entry that was put in first goes first. */
export class Remembered<Value> {
  readonly #most: number;
  readonly #values = new Map<string, Value>();

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Value): void {
    if (this.#values.size >= this.#most) {
      const oldest = this.#values.keys().next();
      if (!oldest.done) this.#values.delete(oldest.value);
    }
    this.#values.set(key, value);
  }
}

/** ZooKeeper's DigestAuthenticationProvider: `user:base64(sha1(user:password))`. */
export function digestOf(user: string, password: string): string {
  return `${user}:${createHash("sha1").update(`${user}:${password}`).digest("base64")}`;
}

/** `Basic …` as a digest id. */
export function readBasic(authorization: string): AuthId | BadCredentials {
  const found = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(authorization);
  if (found === null) {
    const scheme = /^[A-Za-z0-9-]{1,20}(?= |$)/.exec(authorization)?.[0] ?? "that";
    return scheme.toLowerCase() === "basic"
      ? badCredentials("what stands behind Basic is no base64 of user:password")
      : badCredentials(`the scheme ${scheme} is not taken here; send Basic with base64 of user:password`);
  }
  const bytes = Buffer.from(found[1] ?? "", "base64");
  const text = bytes.toString("utf8");
  const colon = text.indexOf(":");
  if (!isUtf8(bytes) || colon <= 0) return badCredentials("the credentials are not user:password in UTF-8");
  const user = text.slice(0, colon);
  if (/[\u0000-\u001f\u007f]/.test(text)) return badCredentials("the credentials have a control character");
  return { scheme: "digest", id: digestOf(user, text.slice(colon + 1)) };
}

function badCredentials(fault: string): BadCredentials {
  return { bad: `Authorization: ${fault}`, field: "credentials" };
}

export interface IdentityOptions {
  /** `user:base64(sha1(user:password))` of who may do everything. */
  readonly superUserDigest?: string;
  /** Addresses or networks (`10.0.0.0/8`) whose `X-Forwarded-For` is believed. */
  readonly trustedProxies?: readonly string[];
  /** Credentials whose hash is remembered. */
  readonly remembered: number;
}

/** Finds identities; one for each door. */
export class Identities {
  readonly #superUser: string | undefined;
  readonly #proxies = new BlockList();
  readonly #trusting: boolean;
  readonly #known: Remembered<AuthId>;

  constructor(options: IdentityOptions) {
    this.#superUser = options.superUserDigest;
    this.#known = new Remembered(options.remembered);
    this.#trusting = (options.trustedProxies ?? []).length > 0;
    for (const each of options.trustedProxies ?? []) {
      const [address = "", bits] = each.split("/");
      const family = isIPv6(address) ? "ipv6" : "ipv4";
      if (bits === undefined) this.#proxies.addAddress(address, family);
      else this.#proxies.addSubnet(address, Number(bits), family);
    }
  }

  /** `peer`: the socket's; `forwardedFor`: the header, believed from trusted proxies alone. */
  find(authorization: string | undefined, peer: string, forwardedFor: string | undefined): Identity | BadCredentials {
    const address = this.#clientOf(plainAddress(peer), forwardedFor);
    if (typeof address !== "string") return address;
    const ip: AuthId = { scheme: "ip", id: address };
    if (authorization === undefined) return { ids: [ip], superUser: false };
    let id = this.#known.get(authorization);
    if (id === undefined) {
      const read = readBasic(authorization);
      if ("bad" in read) return read;
      id = read;
      this.#known.set(authorization, id);
    }
    return { ids: [id, ip], superUser: id.id === this.#superUser };
  }

  /** From the right, the first that is no trusted proxy. */
  #clientOf(peer: string, forwardedFor: string | undefined): string | BadCredentials {
    if (!this.#trusting || forwardedFor === undefined) return peer;
    const hops = forwardedFor.split(",").map((each) => plainAddress(each.trim()));
    let client = peer;
    while (this.#isProxy(client)) {
      const next = hops.pop();
      if (next === undefined) break;
      if (isIP(next) === 0)
        return { bad: `X-Forwarded-For: ${JSON.stringify(next.slice(0, 60))} is no address`, field: "address" };
      client = next;
    }
    return client;
  }

  #isProxy(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#proxies.check(address, family === 6 ? "ipv6" : "ipv4");
  }
}

/** An IPv4 peer of a dual-stack socket has `::ffff:` before it. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
