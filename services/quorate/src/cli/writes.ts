/** What the writing commands have in common: their options, and what of a request follows from them. */
import type { Option } from "./command.ts";
import type { Context } from "./context.ts";
import { durationText } from "./durations.ts";
import { UsageError } from "./failures.ts";
import type { Asked } from "./rest.ts";

export const fencedOption: Option = {
  name: "fenced",
  kind: "text",
  value: "LOCK=TOKEN",
  many: true,
  help: "only while that lock or election is held with that token",
};

export const sessionOption: Option = {
  name: "session",
  kind: "text",
  value: "ID:SECRET",
  help: "as `quorate session open` prints it; @FILE: what stands in the file",
  variable: "QUORATE_SESSION",
};

export const literalOption: Option = { name: "literal", kind: "flag", help: "VALUE as it stands, even - or @FILE" };

export const shapeOptions: readonly Option[] = [
  { name: "parents", short: "p", kind: "flag", help: "make the parents that are missing" },
  { name: "ephemeral", short: "e", kind: "flag", help: "it goes with the session" },
  sessionOption,
  {
    name: "ttl",
    kind: "duration",
    value: "TIME",
    help: "it goes when it was not written for so long and has no children",
    min: 1,
  },
  { name: "container", kind: "flag", help: "it goes after its last child" },
  {
    name: "acl",
    kind: "text",
    value: "ENTRY",
    many: true,
    help: "SCHEME:ID:PERMS, such as auth::cdrwa; may be given more than once",
  },
];

export function shapeQuery({ values }: Context): NonNullable<Asked["query"]> {
  const ttl = values.millis("ttl");
  return {
    parents: values.flag("parents") || undefined,
    ephemeral: values.flag("ephemeral") || undefined,
    container: values.flag("container") || undefined,
    ttl: ttl === undefined ? undefined : durationText(ttl),
    acl: values.list("acl").join(",") || undefined,
  };
}

/** Of a write that needs a session only if it makes an ephemeral. */
export function shapeSession(context: Context): string | undefined {
  const { values } = context;
  if (!values.flag("ephemeral")) {
    if (values.text("session") !== undefined)
      throw new UsageError("--session goes with --ephemeral", "without it the znode belongs to no session");
    return undefined;
  }
  const session = context.session();
  if (session === undefined)
    throw new UsageError(
      "--ephemeral needs a session",
      "--session ID:SECRET or QUORATE_SESSION; `quorate session open` opens one",
    );
  return session;
}

export function fencedHeader({ values }: Context): Record<string, string | undefined> {
  const fences = values.list("fenced").map((text) => {
    const at = text.lastIndexOf("=");
    const token = text.slice(at + 1);
    if (at <= 0 || !/^0x[0-9a-fA-F]{1,16}$/.test(token))
      throw new UsageError(
        `--fenced ${JSON.stringify(text)} is not LOCK=TOKEN`,
        "--fenced /app/migrate=0x0000000200000017",
      );
    return `${text.slice(0, at).replace(/[^!#$&'()*+./0-9:;<>?@A-Z[\]^_`a-z{|}~-]/gu, encodeURIComponent)}=${token}`;
  });
  return { "Quorate-Fenced": fences.length === 0 ? undefined : fences.join(",") };
}

/** `"0x…"` from `0x…`, with quotes or without. */
export function etagOf(text: string): string {
  const bare = text.replace(/^"(.*)"$/, "$1");
  if (!/^0x[0-9a-fA-F]{1,16}$/.test(bare))
    throw new UsageError(
      `--if-match ${JSON.stringify(text)} is no mzxid`,
      "`quorate stat PATH` shows it: 0x0000000200000017",
    );
  return `"${bare}"`;
}
