/** The bytes of a request: bounded, counted over the whole door, never held beyond the limit. */

import { show } from "../show.ts";
import type { Call } from "./call.ts";
import { bad, RequestFault } from "./fault.ts";
import { type JsonObject, readJson } from "./json-body.ts";
import { checkBody } from "./request-check.ts";

const none = Buffer.alloc(0);

/** Raised when the client went away: there is nobody to answer. */
export class ClientGone extends Error {
  override readonly name: string = "ClientGone";
}

export function refuseBody(call: Call): void {
  if (call.head.hasBody) throw bad(`${call.route.method} ${call.route.pattern} takes no body; send none`);
}

/** The body, whatever its type; it must not be encoded, for it is stored as it comes. */
export function readBytes(call: Call, most: number): Promise<Buffer> | Buffer {
  const { head } = call;
  if (head.contentEncoding !== undefined && head.contentEncoding.toLowerCase() !== "identity") {
    throw new RequestFault(
      "unsupportedMediaType",
      `Content-Encoding: ${show(head.contentEncoding)} is not taken; send plain bytes`,
    );
  }
  if (head.contentRange) throw bad("Content-Range: a part of a value cannot be written; send the whole");
  if (!head.hasBody) return none;
  const announced = head.contentLength === undefined ? 0 : Number(head.contentLength);
  if (announced > most) throw tooLarge(most);
  admit(call, announced);
  if (call.expectsContinue) call.response.writeContinue();
  return collect(call, most, announced);
}

export async function readJsonBody(call: Call, most: number): Promise<{ bytes: Buffer; json: JsonObject }> {
  const type = call.head.contentType;
  if (call.head.hasBody && !/^application\/json *(; *charset="?utf-8"? *)?$/i.test(type ?? "")) {
    const given = type === undefined ? "there is no Content-Type" : `Content-Type: ${show(type)} is not taken`;
    throw new RequestFault("unsupportedMediaType", `${given}; send Content-Type: application/json`);
  }
  const bytes = await readBytes(call, most);
  const json = readJson(bytes);
  checkBody(call.route.operationId, json, bytes.length > 0);
  return { bytes, json };
}

function tooLarge(most: number): RequestFault {
  return new RequestFault("tooLarge", `the body is over ${most} bytes, which is the most; nothing was written`);
}

function admit(call: Call, bytes: number): void {
  const { door } = call;
  if (door.heldBytes + bytes > door.limits.heldBodyBytes) {
    throw new RequestFault("throttled", "this gateway holds as many bytes of requests as it may; try again shortly");
  }
  door.heldBytes += bytes;
  call.held += bytes;
}

function collect(call: Call, most: number, announced: number): Promise<Buffer> {
  const { request } = call;
  return new Promise((resolve, reject) => {
    let first: Buffer | undefined;
    let more: Buffer[] | undefined;
    let size = 0;
    const fail = (fault: Error): void => {
      request.removeAllListeners("data");
      request.removeAllListeners("end");
      first = undefined;
      more = undefined;
      reject(fault);
    };
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > most) return fail(tooLarge(most));
      if (size > announced && !admitted(call, chunk.length, fail)) return;
      if (first === undefined) first = chunk;
      else if (more === undefined) more = [first, chunk];
      else more.push(chunk);
    });
    request.on("end", () => resolve(more === undefined ? (first ?? none) : Buffer.concat(more, size)));
    request.on("close", () => {
      if (!request.complete) reject(new ClientGone("the client went away before its body was there"));
    });
  });
}

function admitted(call: Call, bytes: number, fail: (fault: Error) => void): boolean {
  try {
    admit(call, bytes);
    return true;
  } catch (fault) {
    fail(fault as Error);
    return false;
  }
}
