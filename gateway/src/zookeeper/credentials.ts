/**
 * Who a connection's client is, by what it proved: the address from the start, then what its auth packets say. As at ZooKeeper, a
 * wrong password makes another identity and no refusal; only schemes that prove nothing here are refused.
 */
import { createHash } from "node:crypto";
import type { AuthId, Identity } from "@quorate/api";
import { plainAddress } from "../identity.ts";
import { show } from "../show.ts";

export interface CredentialsOptions {
  /** As the socket says. */
  readonly address: string;
  /** `user:base64(sha1(user:password))` of who may do everything. */
  readonly superUserDigest?: string | undefined;
  /** At most so many, the address among them. */
  readonly most: number;
}

const lenient = new TextDecoder();
const idBytes = 1024;

export class Credentials {
  readonly #options: CredentialsOptions;
  #identity: Identity;

  constructor(options: CredentialsOptions) {
    this.#options = options;
    this.#identity = { ids: [{ scheme: "ip", id: plainAddress(options.address) }], superUser: false };
  }

  /** The client's, without what a dual-stack socket puts before it. */
  get address(): string {
    return this.#identity.ids[0]?.id ?? "";
  }

  get identity(): Identity {
    return this.#identity;
  }

  /** False: it is refused. */
  prove(scheme: string, auth: Uint8Array): boolean {
    switch (scheme) {
      case "digest":
        return this.#add(digestId(auth));
      // The address is proven by the socket, whatever is said.
      case "ip":
        return true;
      default:
        return false;
    }
  }

  /** Why it was not proven, for the log. */
  refusal(scheme: string): string {
    const { most } = this.#options;
    const why =
      scheme === "digest"
        ? `it has proven ${most - 1} identities, which is the most, or this one is over ${idBytes} bytes`
        : `it would prove itself by ${show(scheme)}, and digest and ip are all that there is`;
    return `the connection of ${this.address} is closed: ${why}`;
  }

  #add(id: AuthId | undefined): boolean {
    if (id === undefined) return false;
    const { ids, superUser } = this.#identity;
    if (ids.some((each) => each.scheme === id.scheme && each.id === id.id)) return true;
    if (ids.length >= this.#options.most) return false;
    this.#identity = { ids: [...ids, id], superUser: superUser || id.id === this.#options.superUserDigest };
    return true;
  }
}

/** DigestAuthenticationProvider: what stands before the first colon is the user, and all of it is hashed. */
function digestId(auth: Uint8Array): AuthId | undefined {
  const text = lenient.decode(auth);
  const colon = text.indexOf(":");
  const user = colon < 0 ? text : text.slice(0, colon);
  if (auth.length > idBytes) return undefined;
  return { scheme: "digest", id: `${user}:${createHash("sha1").update(auth).digest("base64")}` };
}
