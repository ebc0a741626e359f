/**
 * `POST /v1/txn`: checks, then one branch of operations. Each operation is one object, `{"op": "put", "path": …}`, with
 * the parameters of its call; data is a string (UTF-8) or `{"base64": "…"}`.
 */
import {
  type Check,
  type Condition,
  isBadPath,
  limits,
  type Path,
  parsePath,
  parseSequentialPrefix,
  persistentShape,
  type Shape,
  type TxnOperation,
  type TxnOperationSet,
} from "@quorate/api";
import { show } from "../show.ts";
import { aclOf } from "./children.ts";
import { bad, RequestFault } from "./fault.ts";
import { asArray, asObject, flagOf, integerOf, type JsonObject, textOf } from "./json-body.ts";
import { shapeFrom } from "./shape.ts";
import { readZxid } from "./values.ts";

/** `body`: as the specification has it. `acting`: the request bears a session. */
export function readTxn(body: JsonObject, acting: boolean): TxnOperationSet {
  const check = listOf(body, "check", (each, field) => readCheck(asObject(each, field), field, acting));
  const then = listOf(body, "then", (each, field) => readOperation(each, field, acting));
  const otherwise = listOf(body, "else", (each, field) => readOperation(each, field, acting));
  const count = (check?.length ?? 0) + (then?.length ?? 0) + (otherwise?.length ?? 0);
  if (count === 0) throw bad("body: the txn is empty; give then, and check where it depends on something");
  if (count > limits.txnOperations) {
    throw bad(`body: ${count} checks and operations are more than the ${limits.txnOperations} that a txn may have`);
  }
  const base = { kind: "txn", check: check ?? [], then: then ?? [] } as const;
  return otherwise === undefined ? base : { ...base, else: otherwise };
}

function listOf<T>(body: JsonObject, key: string, read: (each: unknown, field: string) => T): readonly T[] | undefined {
  if (body[key] === undefined) return undefined;
  return asArray(body[key], `body.${key}`).map((each, index) => read(each, `body.${key}[${index}]`));
}

function readOperation(value: unknown, field: string, acting: boolean): TxnOperation {
  const object = asObject(value, field);
  const op = textOf(object, "op", field);
  switch (op) {
    case "create":
      return readCreate(object, field, acting);
    case "put": {
      const shape = shapeOf(object, field, acting);
      const parents = flagOf(object, "parents", field) ?? false;
      const base = { kind: "put", path: pathIn(object, field), data: dataOf(object, field), parents } as const;
      const condition = conditionOf(object, field);
      return shape === undefined ? { ...base, condition } : { ...base, shape, condition };
    }
    case "set":
      return {
        kind: "set",
        path: pathIn(object, field),
        data: dataOf(object, field),
        condition: conditionOf(object, field),
      };
    case "delete": {
      const recursive = flagOf(object, "recursive", field) ?? false;
      return { kind: "delete", path: pathIn(object, field), condition: conditionOf(object, field), recursive };
    }
    case "setAcl": {
      const acl = aclOf(object, "acl", field);
      if (acl === undefined) throw bad(`${field}.acl is missing; give the whole list`);
      return { kind: "setAcl", path: pathIn(object, field), acl, aversion: versionOf(object, field) ?? -1 };
    }
    case "check":
      return { kind: "check", ...readCheck(object, field, acting) };
    case "children": {
      const limit = integerOf(object, "limit", field, 1, limits.pageNames) ?? limits.defaultPageNames;
      const withData = flagOf(object, "data", field) ?? false;
      return { kind: "children", path: pathIn(object, field), limit, withData };
    }
    default:
      return { kind: op === "get" ? "get" : "exists", path: pathIn(object, field) };
  }
}

function readCreate(object: JsonObject, field: string, acting: boolean): TxnOperation {
  const sequential = flagOf(object, "sequential", field) ?? false;
  const path = sequential ? prefixIn(object, field) : pathIn(object, field);
  const shape = shapeOf(object, field, acting) ?? persistentShape;
  const parents = flagOf(object, "parents", field) ?? false;
  return { kind: "create", path, data: dataOf(object, field), shape, sequential, parents };
}

function readCheck(object: JsonObject, field: string, acting: boolean): Check {
  const owner = textOf(object, "owner", field);
  if (owner !== undefined && owner !== "self") throw bad(`${field}.owner: ${show(owner)} is not "self"`);
  if (owner !== undefined && !acting) throw bad(`${field}.owner: "self" needs a session; send Quorate-Session`);
  const czxid = textOf(object, "czxid", field);
  const check: Check = {
    path: pathIn(object, field),
    ...existsVersion(object, field),
    ...zxidAs("mzxid", textOf(object, "mzxid", field), field),
    ...zxidAs("czxid", czxid, field),
    ...(owner === undefined ? undefined : { ownerSelf: true }),
  };
  if (Object.keys(check).length === 1)
    throw bad(`${field} checks nothing; give one of exists, version, mzxid, czxid, owner`);
  return check;
}

function existsVersion(object: JsonObject, field: string): Pick<Check, "exists" | "version"> {
  const exists = flagOf(object, "exists", field);
  const version = versionOf(object, field);
  return { ...(exists === undefined ? undefined : { exists }), ...(version === undefined ? undefined : { version }) };
}

function zxidAs<Name extends "mzxid" | "czxid">(
  name: Name,
  text: string | undefined,
  field: string,
): Pick<Check, Name> | undefined {
  if (text === undefined) return undefined;
  return { [name]: readZxid(text, `${field}.${name}`) } as Pick<Check, Name>;
}

function conditionOf(object: JsonObject, field: string): Condition {
  const mzxid = textOf(object, "mzxid", field);
  const base = existsVersion(object, field);
  return mzxid === undefined ? base : { ...base, mzxids: [readZxid(mzxid, `${field}.mzxid`)] };
}

function versionOf(object: JsonObject, field: string): number | undefined {
  return integerOf(object, "version", field, -2_147_483_648, 2_147_483_647);
}

function shapeOf(object: JsonObject, field: string, acting: boolean): Shape | undefined {
  const parts = {
    ephemeral: flagOf(object, "ephemeral", field) ?? false,
    container: flagOf(object, "container", field) ?? false,
    ttl: textOf(object, "ttl", field),
    acl: aclOf(object, "acl", field),
  };
  return shapeFrom(parts, acting, `${field}.`);
}

function pathIn(object: JsonObject, field: string): Path {
  const path = parsePath(neededPath(object, field));
  if (isBadPath(path)) throw bad(`${field}.path: ${path.bad}`);
  return path;
}

function prefixIn(object: JsonObject, field: string): Path {
  const path = parseSequentialPrefix(neededPath(object, field));
  if (isBadPath(path)) throw bad(`${field}.path: ${path.bad}`);
  return path;
}

function neededPath(object: JsonObject, field: string): string {
  const text = textOf(object, "path", field);
  if (text === undefined) throw bad(`${field}.path is missing`);
  return text;
}

function dataOf(object: JsonObject, field: string): Uint8Array {
  const { data } = object;
  if (data === undefined) return new Uint8Array(0);
  const bytes = typeof data === "string" ? Buffer.from(textOf(object, "data", field) ?? "") : base64Of(data, field);
  if (bytes.length > limits.dataBytes) {
    throw new RequestFault("tooLarge", `${field}.data is over ${limits.dataBytes} bytes, which is the most`);
  }
  return bytes;
}

function base64Of(data: unknown, field: string): Buffer {
  const object = asObject(data, `${field}.data`);
  const text = textOf(object, "base64", `${field}.data`) ?? "";
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) {
    throw bad(`${field}.data.base64 is no base64 (RFC 4648, with its padding)`);
  }
  return Buffer.from(text, "base64");
}
