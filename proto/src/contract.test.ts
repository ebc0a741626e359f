/**
 * The public .proto files: buf finds nothing to say about them, nothing breaks who was built against the released ones, and
 * what is generated is up to date. They name every error of the one table.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { errorCodes, errors } from "@quorate/api";
import { publicServiceNames, publicServices } from "./public-service.ts";
import { answerReflection, publicDescriptors } from "./reflection.ts";
import { reasonOf } from "./rpc-status.ts";
import { bytesField, fieldsOf, messagesIn, numberField, textIn } from "./wire.ts";

const folder = join(import.meta.dirname, "..");
const released = "released/quorate-v1.binpb";
const buf = join(folder, "../node_modules/.bin/buf");
const runs = spawnSync(buf, ["--version"]).status === 0;
const skip = runs ? false : "buf does not run on this machine (npm install brings it for Linux, macOS and Windows)";

function check(...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(buf, args, { cwd: folder, encoding: "utf8" });
  assert.equal(status, 0, `${stdout}${stderr}`);
}

describe("the public .proto files", () => {
  it("are such as buf wants them", { skip }, () => {
    check("lint");
    check("format", "--diff", "--exit-code");
  });

  it("break nobody who was built against the released ones", { skip }, () => {
    check("breaking", "--against", released);
  });

  it("would not pass with a field renamed", { skip }, () => {
    const copy = mkdtempSync(join(tmpdir(), "quorate-proto-"));
    try {
      cpSync(folder, copy, { recursive: true, filter: (path) => !path.includes("/src") });
      const path = join(copy, "quorate/v1/types.proto");
      writeFileSync(path, readFileSync(path, "utf8").replace("int64 mzxid = 2;", "int64 modified = 2;"));
      const { status, stdout } = spawnSync(buf, ["breaking", "--against", released], { cwd: copy, encoding: "utf8" });
      assert.notEqual(status, 0);
      assert.match(stdout, /mzxid.*modified|modified.*mzxid/);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  it("are what the generated files were made from", { skip }, () => {
    const out = mkdtempSync(join(tmpdir(), "quorate-gen-"));
    try {
      const path = `${join(folder, "../node_modules/.bin")}:${process.env["PATH"] ?? ""}`;
      const made = spawnSync(process.execPath, ["generate.mjs", "--out", out], {
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, PATH: path },
      });
      assert.equal(made.status, 0, made.stderr);
      for (const name of ["quorate-v1.ts", "quorate-v1.binpb"]) {
        const [fresh, kept] = [out, join(folder, "src/gen")].map((each) => readFileSync(join(each, name)));
        assert.ok(kept && fresh?.equals(kept), `src/gen/${name} is out of date: npm run generate -w proto`);
      }
    } finally {
      rmSync(out, { recursive: true });
    }
  });

  it("name every error with its status, as the one table has it", () => {
    const names = [
      "OK",
      "CANCELLED",
      "UNKNOWN",
      "INVALID_ARGUMENT",
      "DEADLINE_EXCEEDED",
      "NOT_FOUND",
      "ALREADY_EXISTS",
    ];
    names.push("PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE");
    names.push("UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED");
    const text = readFileSync(join(folder, "quorate/v1/types.proto"), "utf8");
    for (const code of errorCodes) {
      const line = new RegExp(`^// {3}${names[errors[code].grpc]} +.*\\b${reasonOf(code)}\\b`, "m");
      assert.match(text, line, `${code} is not in the table of types.proto`);
    }
  });
});

describe("reflection", () => {
  const ask = (field: number, text: string): ReturnType<typeof fieldsOf> =>
    fieldsOf(answerReflection(bytesField(field, text)));
  const filesOf = (answer: ReturnType<typeof fieldsOf>): string[] =>
    messagesIn(messagesIn(answer ?? [], 4)[0] ?? [], 1).map((file) => textIn(file, 1));
  const errorOf = (answer: ReturnType<typeof fieldsOf>): unknown => messagesIn(answer ?? [], 7)[0]?.[0]?.[1];

  it("lists the services, and knows the file of everything in them, with what it needs", () => {
    const listed = messagesIn(messagesIn(ask(7, "") ?? [], 6)[0] ?? [], 1).map((each) => textIn(each, 1));
    assert.deepEqual(listed.sort(), Object.values(publicServiceNames).sort());
    const files = filesOf(ask(4, "quorate.v1.Coordination"));
    assert.equal(files[0], "quorate/v1/coordination.proto");
    assert.ok(files.includes("google/protobuf/duration.proto") && files.includes("quorate/v1/types.proto"));
    assert.deepEqual(filesOf(ask(3, "google/protobuf/timestamp.proto")), ["google/protobuf/timestamp.proto"]);
    for (const symbol of ["quorate.v1.Coordination.Watch", "quorate.v1.Member.Role", "quorate.v1.NODE_KIND_TTL"]) {
      assert.ok(filesOf(ask(4, symbol)).length > 0, symbol);
    }
    assert.ok(filesOf(ask(4, "google.rpc.ErrorInfo")).length > 0);
  });

  it("has every method that is served", () => {
    const { symbols } = publicDescriptors();
    for (const [service, methods] of Object.entries(publicServices().methods)) {
      const full = publicServiceNames[service as keyof typeof publicServiceNames];
      for (const name of Object.keys(methods)) assert.ok(symbols.includes(`${full}.${name}`), `${full}.${name}`);
    }
  });

  it("answers what it does not know, and what is no question", () => {
    assert.equal(errorOf(ask(4, "quorate.v1.Nothing")), 5);
    assert.equal(errorOf(ask(3, "etc/passwd")), 5);
    assert.equal(errorOf(ask(5, "x")), 5);
    assert.equal(errorOf(fieldsOf(answerReflection(Buffer.from([0xff])))), 3);
    assert.equal(errorOf(fieldsOf(answerReflection(numberField(9, 1)))), 5);
    assert.equal(textIn(messagesIn(ask(6, "quorate.v1.Stat") ?? [], 5)[0] ?? [], 1), "quorate.v1.Stat");
  });
});
