/** The details of errors are those that every gRPC library reads: google/rpc/error_details.proto says so. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { it } from "node:test";
import { loadSync, type MessageTypeDefinition } from "@grpc/proto-loader";
import fc from "fast-check";
import { loading } from "./public-protos.ts";
import { codeOfReason, decodeRpcStatus, encodeRpcStatus, reasonOf } from "./rpc-status.ts";
import { fieldsOf, messagesIn } from "./wire.ts";

type Loaded = MessageTypeDefinition<object, object>;

const statuses = fc.record(
  {
    code: fc.integer({ min: 1, max: 16 }),
    message: fc.string({ unit: "grapheme" }),
    reason: fc.stringMatching(/^[A-Z_]{1,40}$/),
    metadata: fc.dictionary(fc.stringMatching(/^[a-zA-Z]{1,20}$/), fc.string({ unit: "grapheme", minLength: 1 })),
    retryAfterMillis: fc.integer({ min: 1, max: 10_000_000 }),
  },
  { requiredKeys: ["code", "message", "reason", "metadata"] },
);

it("a status with its details comes back as it was", () => {
  fc.assert(
    fc.property(statuses, (status) => {
      const bytes = encodeRpcStatus(status);
      assert.deepEqual({ ...decodeRpcStatus(bytes) }, { ...status, metadata: { ...status.metadata } });
    }),
  );
});

it("is what the .proto says", () => {
  const loaded = loadSync("google/rpc/error_details.proto", {
    ...loading,
    includeDirs: [join(import.meta.dirname, "..")],
  });
  const [info, retry] = ["google.rpc.ErrorInfo", "google.rpc.RetryInfo"].map((name) => loaded[name] as Loaded);
  const metadata = { path: "/ä", certainty: "noEffect" };
  const bytes = encodeRpcStatus({ code: 5, message: "no", reason: "NO_NODE", metadata, retryAfterMillis: 1500 });
  const details = messagesIn(fieldsOf(bytes) ?? [], 3).map((detail) => detail.find(([field]) => field === 2)?.[1]);
  assert.deepEqual(info?.deserialize(Buffer.from(details[0] as Uint8Array)), {
    reason: "NO_NODE",
    domain: "quorate",
    metadata,
  });
  assert.deepEqual(retry?.deserialize(Buffer.from(details[1] as Uint8Array)), {
    retryDelay: { seconds: 1, nanos: 500_000_000 },
  });
});

it("bytes that are no status are none, whatever they are", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const found = decodeRpcStatus(bytes);
      assert.ok(found === undefined || typeof found.reason === "string");
    }),
  );
  assert.equal(decodeRpcStatus(Buffer.from([8, 5])), undefined);
});

it("codes and reasons are one name in two spellings", () => {
  for (const code of ["noNode", "cursorOfAnotherHistory", "internal"]) assert.equal(codeOfReason(reasonOf(code)), code);
  assert.equal(reasonOf("noChildrenForEphemerals"), "NO_CHILDREN_FOR_EPHEMERALS");
});
