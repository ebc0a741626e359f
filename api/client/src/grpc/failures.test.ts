/** What gRPC says, and what of it is certain. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { errors } from "@quorate/api";
import { encodeRpcStatus, reasonOf } from "@quorate/proto";
import { failureOf, failureOfStatus } from "./failures.ts";

function stated(code: keyof typeof errors, metadata: Readonly<Record<string, string>>, retryAfterMillis?: number) {
  const { grpc } = errors[code];
  const status = { code: grpc, message: "it is so", reason: reasonOf(code), metadata };
  const details = encodeRpcStatus(retryAfterMillis === undefined ? status : { ...status, retryAfterMillis });
  return failureOfStatus({ code: grpc, details: "it is so", metadata: { get: () => [details] } }, "here:1");
}

test("each code comes back as it was, and with its facts", () => {
  for (const [code, { certainty }] of Object.entries(errors)) {
    const failure = stated(
      code as keyof typeof errors,
      { certainty, path: "/a", zxid: "0x7", opIn: "otherwise", opIndex: "2" },
      1500,
    );
    assert.deepEqual([failure.code, failure.certainty, failure.detail], [code, certainty, "it is so"]);
    assert.deepEqual([failure.path, failure.zxid, failure.op], ["/a", "0x7", { in: "else", index: 2 }]);
    assert.equal(failure.retryAfterMillis, 1500);
    const reply = failureOf({ reason: reasonOf(code), detail: "x", certainty: "CERTAINTY_UNKNOWN" });
    assert.deepEqual([reply.code, reply.certainty, reply.op], [code, "unknown", undefined]);
  }
});

test("without our details only a connection that never stood is certain", () => {
  const cases: readonly (readonly [number, string, string, string])[] = [
    [14, "No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1", "connectionLoss", "noEffect"],
    [14, "Connection dropped", "connectionLoss", "unknown"],
    [1, "Call cancelled", "connectionLoss", "unknown"],
    [13, "Received RST_STREAM with code 2", "connectionLoss", "unknown"],
    [4, "Deadline exceeded after 1s", "timeout", "unknown"],
    [12, "The server does not implement it", "unimplemented", "unknown"],
  ];
  for (const [code, details, expected, certainty] of cases) {
    const failure = failureOfStatus({ code, details }, "here:1");
    assert.deepEqual([failure.code, failure.certainty], [expected, certainty], details);
  }
});
