/**
 * Makes `src/gen/quorate-v1.ts` from `quorate/v1/*.proto`: the messages as types, in the form that public-service.ts reads and
 * writes; and `quorate-v1.binpb`, their descriptors. `--out DIR` writes elsewhere.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import { publicProtos } from "./src/public-protos.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const at = process.argv.indexOf("--out");
const out = at < 0 ? join(here, "src/gen") : process.argv[at + 1];

const scalars = { string: "string", bytes: "Uint8Array", bool: "boolean", int32: "number", int64: "number" };

/** `quorate.v1.Member.Role` → `MemberRole`, `google.protobuf.Duration` → `Duration`. */
function nameOf(type) {
  return type.fullName.replace(/^\.?[a-z.0-9]*\./, "").replaceAll(".", "");
}

function typeOf(field) {
  const found = field.resolvedType === null ? scalars[field.type] : nameOf(field.resolvedType);
  if (found === undefined) throw new Error(`${field.fullName}: there is no type for ${field.type}`);
  return field.repeated ? `readonly ${found}[]` : found;
}

function messageText(type) {
  const lines = type.fieldsArray.map((field) => `  readonly ${field.name}?: ${typeOf(field)} | undefined;`);
  for (const group of type.oneofsArray.filter((each) => !each.isProto3Optional)) {
    const names = group.oneof.map((name) => JSON.stringify(name)).join(" | ");
    lines.push("  /** Which of them is there: told when it is read, not needed when it is written. */");
    lines.push(`  readonly ${group.name}?: ${names} | undefined;`);
  }
  return `export interface ${nameOf(type)} {\n${lines.join("\n")}\n}\n`;
}

function textsOf(parent) {
  return parent.nestedArray.flatMap((each) => {
    if (each instanceof protobuf.Type) return [messageText(each), ...textsOf(each)];
    if (!(each instanceof protobuf.Enum)) return each instanceof protobuf.Service ? [] : textsOf(each);
    const values = Object.keys(each.values).map((value) => JSON.stringify(value));
    return [`export type ${nameOf(each)} = ${values.join(" | ")};\n`];
  });
}

const root = new protobuf.Root();
root.resolvePath = (_, path) => (path.startsWith("google/protobuf/") ? path : join(here, path));
root.loadSync([...publicProtos]).resolveAll();
mkdirSync(out, { recursive: true });
writeFileSync(
  join(out, "quorate-v1.ts"),
  `/** Made from proto/quorate/v1 by \`npm run generate\`; not written by hand. */\n${textsOf(root).join("\n")}`,
);

// The descriptors for reflection, with comments. Only who changes a .proto file needs buf.
const buf = spawnSync("buf", ["build", "--as-file-descriptor-set", "-o", join(out, "quorate-v1.binpb")], { cwd: here });
if (buf.error) console.error(`quorate-v1.binpb is left as it is, since buf does not run: ${buf.error.message}`);
else if (buf.status !== 0) throw new Error(`buf build: ${buf.stderr}`);
