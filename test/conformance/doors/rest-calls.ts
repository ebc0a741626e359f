/** Which call of REST asks what, with the JSON of its txns. */
import assert from "node:assert/strict";
import { type Asked, bytesOf, type Condition, type TxnStep } from "./door.ts";

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | object;
}

type AskedFor<Op extends Asked["op"]> = Extract<Asked, { readonly op: Op }>;

const encoded = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

function queryOf(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.append(name, String(value));
  return query.size === 0 ? "" : `?${query}`;
}

/** What a call of REST cannot say by itself. */
export function stepForTxn(asked: Asked): TxnStep | undefined {
  const { terms: _, ...step } = asked;
  if (step.op === "set") return step;
  if ((step.op === "put" || step.op === "delete") && step.condition?.version !== undefined) return step;
  return undefined;
}

function conditionHeaders(condition: Condition = {}): Record<string, string> {
  const { exists, mzxids } = condition;
  if (mzxids !== undefined) return { "If-Match": mzxids.map((each) => `"${each}"`).join(", ") };
  if (exists === undefined) return {};
  return exists ? { "If-Match": "*" } : { "If-None-Match": "*" };
}

function shapeQuery(asked: AskedFor<"create"> | AskedFor<"put">): Record<string, string | boolean | undefined> {
  const { kind, ttlMillis, acl, parents } = asked;
  return {
    ephemeral: kind === "ephemeral" ? true : undefined,
    container: kind === "container" ? true : undefined,
    ttl: ttlMillis === undefined ? undefined : `${ttlMillis}ms`,
    acl: acl?.map(({ scheme, id, perms }) => `${scheme}:${id}:${perms}`).join(","),
    parents,
  };
}

export function callOf(asked: Asked): Call {
  switch (asked.op) {
    case "create":
      return createCall(asked);
    case "put":
      return {
        method: "PUT",
        path: `/v1/znodes${encoded(asked.path)}${queryOf(shapeQuery(asked))}`,
        headers: conditionHeaders(asked.condition),
        body: bytesOf(asked.data),
      };
    case "delete":
      return {
        method: "DELETE",
        path: `/v1/znodes${encoded(asked.path)}${queryOf({ recursive: asked.recursive })}`,
        headers: conditionHeaders(asked.condition),
      };
    case "get":
    case "exists":
      return {
        method: asked.op === "get" ? "GET" : "HEAD",
        path: `/v1/znodes${encoded(asked.path)}`,
        headers: { Accept: "application/octet-stream" },
      };
    case "children": {
      const query = queryOf({ limit: asked.limit, continue: asked.token, data: asked.withData });
      return { method: "GET", path: `/v1/children${encoded(asked.path)}${query}` };
    }
    case "tree": {
      const query = queryOf({ depth: asked.depth, data: asked.withData });
      return { method: "GET", path: `/v1/tree${encoded(asked.path)}${query}` };
    }
    case "getAcl":
      return { method: "GET", path: `/v1/acl${encoded(asked.path)}` };
    case "setAcl":
      return setAclCall(asked);
    default:
      return operatorCall(asked);
  }
}

function createCall(asked: AskedFor<"create">): Call {
  const body = bytesOf(asked.data);
  if (!asked.sequential) {
    const path = `/v1/znodes${encoded(asked.path)}${queryOf(shapeQuery(asked))}`;
    return { method: "PUT", path, headers: { "If-None-Match": "*" }, body };
  }
  const cut = asked.path.lastIndexOf("/");
  const prefix = asked.path.slice(cut + 1);
  const query = queryOf({ prefix: prefix === "" ? undefined : prefix, ...shapeQuery(asked) });
  return { method: "POST", path: `/v1/znodes${encoded(asked.path.slice(0, Math.max(cut, 1)))}${query}`, body };
}

function setAclCall({ path, acl, aversion, czxid }: AskedFor<"setAcl">): Call {
  const tagged = aversion !== undefined && czxid !== undefined;
  return {
    method: "PUT",
    path: `/v1/acl${encoded(path)}`,
    headers: tagged ? { "If-Match": `"${czxid}-${aversion}"` } : {},
    body: { acl, ...(aversion === undefined || tagged ? {} : { version: aversion }) },
  };
}

function operatorCall(asked: Asked): Call {
  switch (asked.op) {
    case "sync":
      return { method: "GET", path: "/v1/znodes/", headers: { Accept: "application/octet-stream" } };
    case "createSession": {
      const { timeoutMillis, name } = asked;
      const timeout = timeoutMillis === undefined ? {} : { timeout: `${timeoutMillis}ms` };
      return {
        method: "POST",
        path: "/v1/sessions",
        body: { ...timeout, ...(name === undefined ? {} : { name }) },
      };
    }
    case "renewSession":
    case "closeSession":
    case "getSession": {
      const path = `/v1/sessions/${asked.id ?? asked.terms.session?.id}`;
      if (asked.op === "renewSession") return { method: "POST", path: `${path}/renew` };
      return { method: asked.op === "getSession" ? "GET" : "DELETE", path };
    }
    case "listSessions":
      return { method: "GET", path: `/v1/sessions${queryOf({ limit: asked.limit, continue: asked.token })}` };
    case "members":
      return { method: "GET", path: "/v1/cluster" };
    case "handOver":
      return { method: "POST", path: "/v1/cluster/leader", body: { to: asked.to } };
    default:
      throw new Error(`no call of REST is ${asked.op}`);
  }
}

export function checkJson({ ownerSelf, ...rest }: object & { readonly ownerSelf?: true }): object {
  return ownerSelf ? { ...rest, owner: "self" } : rest;
}

export function stepJson(step: TxnStep): object {
  if (step.op === "check") return checkJson(step);
  const { condition, data, ttlMillis, kind, withData, limit, aversion, ...rest } = step as TxnStep & {
    readonly condition?: Condition;
    readonly data?: string;
    readonly ttlMillis?: number;
    readonly kind?: string;
    readonly withData?: true;
    readonly limit?: number;
    readonly aversion?: number;
  };
  const [mzxid, ...further] = condition?.mzxids ?? [];
  assert.equal(further.length, 0, "a txn of REST compares with one mzxid");
  return {
    ...rest,
    ...(data === undefined ? {} : { data: { base64: bytesOf(data).toString("base64") } }),
    ...(condition?.exists === undefined ? {} : { exists: condition.exists }),
    ...(condition?.version === undefined ? {} : { version: condition.version }),
    ...(mzxid === undefined ? {} : { mzxid }),
    ...(kind === "ephemeral" ? { ephemeral: true } : {}),
    ...(kind === "container" ? { container: true } : {}),
    ...(ttlMillis === undefined ? {} : { ttl: `${ttlMillis}ms` }),
    ...(withData === undefined ? {} : { data: true }),
    ...(limit === undefined ? {} : { limit }),
    ...(aversion === undefined ? {} : { version: aversion }),
  };
}
