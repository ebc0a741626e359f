/** `Quorate-Fenced: app/migrate=0x0000000100000009`: the locks that must still be held where a write is applied. */
import { isBadPath, type Path, parsePath, zeroZxid } from "@quorate/api";
import type { Answer, WriteRequest } from "../backend.ts";
import { recipeLimits } from "../recipes/limits.ts";
import type { Fence } from "../recipes/recipes.ts";
import { show } from "../show.ts";
import type { Call } from "./call.ts";
import { bad, type RequestFault } from "./fault.ts";
import { readZxid } from "./values.ts";

/** Fenced, if the request says so. */
export function performWrite(call: Call, request: WriteRequest, deadlineMillis: number): Promise<Answer> {
  const { backend, recipes } = call.door.options;
  const { fenced } = call.head;
  if (fenced === undefined) return backend.write(request, deadlineMillis);
  return recipes.write(request, readFences(fenced), deadlineMillis);
}

/** Several stand between commas, or in headers of their own, which have been joined by then. */
export function readFences(text: string): readonly Fence[] {
  const parts = text.split(",");
  if (parts.length > recipeLimits.fences) {
    throw bad(`Quorate-Fenced: ${parts.length} fences are more than the ${recipeLimits.fences} that a write may have`);
  }
  return parts.map((part, index) => readFence(part.trim(), parts.length === 1 ? "" : `, part ${index + 1}`));
}

const wanted = "write name=token, such as app/migrate=0x0000000100000009";

function readFence(text: string, where: string): Fence {
  const field = `Quorate-Fenced${where}`;
  if (text === "") throw bad(`${field}: it is empty; ${wanted}`);
  const [name = "", token, ...more] = text.split("=");
  if (token === undefined) throw bad(`${field}: ${show(text)} has no token; ${wanted}`);
  if (more.length > 0) throw bad(`${field}: ${show(text)} has more than one =; in a name write it as %3D`);
  const zxid = readZxid(token.trim(), `${field}, token`);
  if (zxid === zeroZxid)
    throw bad(`${field}, token: ${show(token)} never was one; send it as the lock's answer had it`);
  return { path: readName(name.trim(), field), token: zxid };
}

function readName(name: string, field: string): Path {
  if (name === "") throw bad(`${field}: the lock's name is missing; ${wanted}`);
  if (!/^[!-~]+$/.test(name)) {
    throw bad(`${field}: ${show(name)} has characters that a header cannot have; write them percent-encoded`);
  }
  let text = name;
  try {
    if (name.includes("%")) text = decodeURIComponent(name);
  } catch {
    throw bad(`${field}: ${show(name)} is no percent-encoded UTF-8`);
  }
  return lockPath(text, (fault) => bad(`${field}: ${fault}`));
}

/** `name`: of a lock or an election, with or without its first slash. */
export function lockPath(name: string, faultOf: (fault: string) => RequestFault): Path {
  const path = parsePath(name.startsWith("/") ? name : `/${name}`);
  if (isBadPath(path)) throw faultOf(path.bad);
  if (path.length === 1) throw faultOf("the root is no lock's name; give it one");
  return path;
}
