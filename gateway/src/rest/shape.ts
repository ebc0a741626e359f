/** How a znode is to be made, from a query or from JSON alike. */
import { type Acl, limits, type NodeKind, type Shape } from "@quorate/api";
import { bad } from "./fault.ts";
import type { Query } from "./query.ts";
import { readAclText, readDuration } from "./values.ts";

export interface ShapeParts {
  readonly ephemeral: boolean;
  readonly container: boolean;
  readonly ttl: string | undefined;
  readonly acl: Acl | undefined;
}

/** Undefined: nothing was said. `field`: what comes before the names, such as `then[0].`. */
export function shapeFrom(parts: ShapeParts, acting: boolean, field: string): Shape | undefined {
  const { ephemeral, container, ttl, acl } = parts;
  const said = [ephemeral ? "ephemeral" : "", ttl === undefined ? "" : "ttl", container ? "container" : ""].filter(
    Boolean,
  );
  if (said.length > 1) throw bad(`${field}${said.join(` and ${field}`)} exclude each other; a znode is of one kind`);
  if (ephemeral && !acting) {
    throw bad(
      `${field}ephemeral needs a session: open one with POST /v1/sessions and send Quorate-Session: <id>:<secret>`,
    );
  }
  if (said.length === 0 && acl === undefined) return undefined;
  const ttlMillis = ttl === undefined ? 0 : readDuration(ttl, `${field}ttl`, 1, limits.ttlMaxMillis);
  const kind: NodeKind = ephemeral ? "ephemeral" : container ? "container" : ttl === undefined ? "persistent" : "ttl";
  return acl === undefined ? { kind, ttlMillis } : { kind, ttlMillis, acl };
}

export function shapeOfQuery(query: Query, acting: boolean): Shape | undefined {
  const acl = query.text("acl");
  return shapeFrom(
    {
      ephemeral: query.flag("ephemeral"),
      container: query.flag("container"),
      ttl: query.text("ttl"),
      acl: acl === undefined ? undefined : readAclText(acl, "acl"),
    },
    acting,
    "",
  );
}
