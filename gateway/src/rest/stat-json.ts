/** Stats, ACLs and data as JSON. Written by hand where every answer has it. */
import { isUtf8 } from "node:buffer";
import { type Acl, formatPerms, formatZxid, type Path, type Stat } from "@quorate/api";
import { formatDuration } from "./values.ts";

/** `ephemeralOwner` stands in an ephemeral's stat alone, `ttl` in that of a znode with one. ASCII: it goes into a header, too. */
export function statJson(stat: Stat): string {
  let text = `{"czxid":"${formatZxid(stat.czxid)}","mzxid":"${formatZxid(stat.mzxid)}","pzxid":"${formatZxid(stat.pzxid)}"`;
  const ctime = timeText(stat.ctime);
  const mtime = stat.mtime === stat.ctime ? ctime : timeText(stat.mtime);
  text += `,"ctime":"${ctime}","mtime":"${mtime}","version":${stat.version},"cversion":${stat.cversion}`;
  text += `,"aversion":${stat.aversion},"dataLength":${stat.dataLength},"numChildren":${stat.numChildren}`;
  text += `,"kind":"${stat.kind}"`;
  if (stat.kind === "ephemeral") text += `,"ephemeralOwner":"${formatZxid(stat.ephemeralOwner)}"`;
  if (stat.kind === "ttl") text += `,"ttl":"${formatDuration(stat.ttlMillis)}"`;
  return `${text}}`;
}

const seconds: number[] = [0, 0, 0, 0];
const texts: string[] = ["", "", "", ""];

/** RFC 3339 with milliseconds. The texts of the last seconds seen are kept: many stats share them. */
export function timeText(millis: number): string {
  const second = Math.floor(millis / 1000);
  const slot = second & 3;
  if (seconds[slot] !== second || texts[slot] === "") {
    seconds[slot] = second;
    texts[slot] = new Date(second * 1000).toISOString().slice(0, 20);
  }
  return `${texts[slot]}${String(millis - second * 1000).padStart(3, "0")}Z`;
}

export type Encoding = "utf-8" | "base64";

/** `"data":…,"encoding":…`: text where the bytes are valid UTF-8, so that they come back the same. */
export function dataJson(data: Uint8Array, forced: Encoding | undefined): string {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (forced === "base64" || !isUtf8(bytes)) return `"data":"${bytes.toString("base64")}","encoding":"base64"`;
  return `"data":${JSON.stringify(bytes.toString("utf8"))},"encoding":"utf-8"`;
}

export function aclJson(acl: Acl): string {
  return JSON.stringify(acl.map(({ scheme, id, perms }) => ({ scheme, id, perms: formatPerms(perms) })));
}

/** The path in a URL: segments percent-encoded, slashes plain. */
export function urlOf(path: Path): string {
  if (/^[A-Za-z0-9._~/-]*$/.test(path)) return `/v1/znodes${path}`;
  return `/v1/znodes${path.split("/").map(encodeURIComponent).join("/")}`;
}
