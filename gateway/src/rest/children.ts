/** `/v1/children/{path}` and `/v1/acl/{path}`: what is below a znode, and who may do what with it. */
import { type ChildEntry, type ChildrenResult, formatZxid, limits, type Path, type Stat } from "@quorate/api";
import { type PagePlace, readPageToken, writePageToken } from "../page-token.ts";
import { readJsonBody, refuseBody } from "./body.ts";
import { type Call, keyOf, pathOf, readRequest, timeoutOf, writeRequest } from "./call.ts";
import { bad } from "./fault.ts";
import { performWrite } from "./fences.ts";
import { asArray, asObject, integerOf, type JsonObject, textOf } from "./json-body.ts";
import { send, sendJson, settle } from "./reply.ts";
import { aclJson, dataJson, type Encoding, statJson } from "./stat-json.ts";
import { boundedAcl, readAclEntry, readInteger, readTags, readZxid } from "./values.ts";
import { clientHas, expectResult, forcedEncoding } from "./znodes.ts";

export async function getChildren(call: Call): Promise<void> {
  refuseBody(call);
  const path = pathOf(call);
  const limitText = call.query.text("limit");
  const limit =
    limitText === undefined ? limits.defaultPageNames : readInteger(limitText, "limit", 1, limits.pageNames);
  const token = call.query.text("continue");
  const place = token === undefined ? undefined : placeOf(path, token);
  const withData = call.query.flag("data");
  const forced = forcedEncoding(call);
  if (call.head.ifNoneMatch !== undefined) {
    readTags(call.head.ifNoneMatch, "If-None-Match");
    if (withData || place !== undefined)
      throw bad("If-None-Match: it goes with the first page of names alone, without data");
  }
  const request = readRequest(call, { kind: "children", path, limit, withData, ...place });
  const settled = settle(call, await call.door.options.backend.read(request, timeoutOf(call)), true);
  if (settled === undefined) return;
  const result = expectResult(settled.outcome.result, "children");
  // The pzxid names the names alone, and of one moment: later pages and data have no tag.
  const tagged = !withData && place === undefined;
  const tag = formatZxid(result.stat.pzxid);
  if (tagged && clientHas(call.head.ifNoneMatch, tag)) {
    send(call, 304, settled, "", ["ETag", `"${tag}"`], true);
    return;
  }
  const page = pageJson(path, result, forced);
  const more = tagged ? ["ETag", `"${tag}"`] : [];
  sendJson(call, 200, settled, `{"zxid":"${formatZxid(result.at)}",${page}}`, more, true);
}

function placeOf(path: Path, token: string): PagePlace {
  const place = readPageToken(path, token);
  if (place !== undefined) return place;
  throw bad("continue: this is not what the last page of this listing gave; send that unchanged, or begin without it");
}

/** As many children as an answer may have bytes, at least one. */
export function pageJson(path: Path, result: ChildrenResult, forced: Encoding | undefined): string {
  const parts: string[] = [];
  let size = 0;
  let more = result.more;
  for (const child of result.children) {
    const part = childJson(child, forced);
    size += part.length + 1;
    if (size > limits.answerBytes && parts.length > 0) {
      more = true;
      break;
    }
    parts.push(part);
  }
  const text = `"children":[${parts.join(",")}]`;
  const last = result.children[parts.length - 1];
  if (!more || last === undefined) return text;
  return `${text},"continue":"${writePageToken(path, { at: result.at, after: last.name })}"`;
}

function childJson({ name, stat, data }: ChildEntry, forced: Encoding | undefined): string {
  let text = `{"name":${JSON.stringify(name)}`;
  if (stat !== undefined) text += `,"stat":${statJson(stat)}`;
  if (data !== undefined) text += `,${dataJson(data, forced)}`;
  return `${text}}`;
}

/** An ACL's version starts again with each creation of its znode: the creation stands in the tag. */
function aclTag(stat: Stat): string {
  return `${formatZxid(stat.czxid)}-${stat.aversion}`;
}

export async function getAcl(call: Call): Promise<void> {
  refuseBody(call);
  const path = pathOf(call);
  if (call.head.ifNoneMatch !== undefined) readTags(call.head.ifNoneMatch, "If-None-Match");
  const request = readRequest(call, { kind: "getAcl", path });
  const settled = settle(call, await call.door.options.backend.read(request, timeoutOf(call)), true);
  if (settled === undefined) return;
  const { acl, stat } = expectResult(settled.outcome.result, "acl");
  const tag = aclTag(stat);
  if (clientHas(call.head.ifNoneMatch, tag)) {
    send(call, 304, settled, "", ["ETag", `"${tag}"`], true);
    return;
  }
  // Nothing else in it, so that it can be sent back as it is: `version` is then the condition.
  sendJson(call, 200, settled, `{"acl":${aclJson(acl)},"version":${stat.aversion}}`, ["ETag", `"${tag}"`], true);
}

export function aclOf(object: JsonObject, key: string, field: string): ReturnType<typeof boundedAcl> | undefined {
  if (object[key] === undefined) return undefined;
  const name = `${field}.${key}`;
  const entries = asArray(object[key], name).map((each, index) => {
    const where = `${name}[${index}]`;
    const entry = asObject(each, where);
    const scheme = textOf(entry, "scheme", where) ?? "";
    const perms = textOf(entry, "perms", where) ?? "";
    return readAclEntry(scheme, textOf(entry, "id", where) ?? "", perms, `${where}.perms`);
  });
  return boundedAcl(entries, name);
}

interface AclCondition {
  readonly aversion: number;
  readonly czxid?: ReturnType<typeof readZxid>;
}

function aclCondition(ifMatch: string | undefined, version: number | undefined): AclCondition {
  if (ifMatch === undefined) return { aversion: version ?? -1 };
  const tags = readTags(ifMatch, "If-Match");
  if (tags === "*") return { aversion: version ?? -1 };
  const found = /^(0x[0-9a-fA-F]+)-(-?[0-9]{1,10})$/.exec(tags[0] ?? "");
  if (tags.length !== 1 || found === null) {
    throw bad('If-Match: an ACL takes one ETag of an ACL, such as "0x0000000200000017-3", or *');
  }
  const aversion = Number(found[2]);
  if (version !== undefined && version !== aversion) {
    throw bad(`body.version is ${version}, but If-Match names version ${aversion}; send one of the two`);
  }
  if (aversion < -2_147_483_648 || aversion > 2_147_483_647) throw bad("If-Match: the ACL's version is no int32");
  return { aversion, czxid: readZxid(found[1] ?? "", "If-Match") };
}

export async function putAcl(call: Call): Promise<void> {
  const path = pathOf(call);
  const timeout = timeoutOf(call);
  const { bytes, json } = await readJsonBody(call, limits.requestBytes);
  const acl = aclOf(json, "acl", "body");
  if (acl === undefined) throw bad("body.acl is missing; send the whole list that the znode shall have");
  const version = integerOf(json, "version", "body", -1, 2_147_483_647);
  const condition = aclCondition(call.head.ifMatch, version);
  const request = writeRequest(call, { kind: "setAcl", path, acl, ...condition }, keyOf(call, path, bytes));
  const settled = settle(call, await performWrite(call, request, timeout));
  if (settled === undefined) return;
  const { stat } = expectResult(settled.outcome.result, "acl");
  const body = `{"path":${JSON.stringify(path)},"zxid":"${formatZxid(settled.zxid)}","stat":${statJson(stat)}}`;
  sendJson(call, 200, settled, body, ["ETag", `"${aclTag(stat)}"`]);
}
