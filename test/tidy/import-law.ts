/** Who may import whom, and why. The arrows only point from shells to vocabulary. */
import { builtinModules } from "node:module";
import {
  type Import,
  importsOf,
  isGenerated,
  isProgram,
  isTest,
  type Room,
  resolveRelative,
  roomOf,
  type Source,
  type Violation,
} from "./sources.ts";

interface Wall {
  /** Rooms whose package may be imported. */
  readonly rooms: readonly Room[];
  /** Rooms of which types may be imported: nothing of them is there when it runs. */
  readonly typesOf?: readonly Room[];
  /** Node's modules and packages, everywhere in the room. */
  readonly modules: readonly string[];
  /** A folder or file of the room that may have more, and its reason. */
  readonly doors?: readonly { readonly at: string; readonly modules: readonly string[]; readonly why: string }[];
}

/** ARCHITECTURE.md tells each wall's reason at length. */
export const walls: Readonly<Record<Exclude<Room, "test">, Wall>> = {
  api: { rooms: [], modules: [] },
  "api/client": {
    rooms: ["api", "proto"],
    typesOf: ["openapi"],
    // Its REST half runs wherever there is fetch.
    modules: [],
    doors: [
      { at: "api/client/src/grpc/connection.ts", modules: ["@grpc/grpc-js"], why: "the one wrapper of its calls" },
    ],
  },
  "services/zab": { rooms: ["api"], modules: [] },
  "services/tree": { rooms: ["api"], modules: [] },
  openapi: { rooms: [], modules: ["node:fs", "node:path", "node:url", "yaml", "openapi-typescript"] },
  proto: {
    rooms: ["api"],
    modules: [],
    doors: [
      { at: "proto/src/service.ts", modules: ["node:http2", "node:net"], why: "dials" },
      { at: "proto/src/grpc-call.ts", modules: ["node:http2"], why: "the one wrapper of a duplex call" },
      { at: "proto/src/public-protos.ts", modules: ["@grpc/proto-loader"], why: "the type of its options" },
      {
        at: "proto/src/public-service.ts",
        modules: ["@grpc/grpc-js", "@grpc/proto-loader", "node:url"],
        why: "loads the public .proto files",
      },
      { at: "proto/src/reflection.ts", modules: ["node:fs", "node:url"], why: "reads the descriptors" },
      {
        at: "proto/generate.mjs",
        modules: ["protobufjs", "node:child_process", "node:fs", "node:path", "node:url"],
        why: "makes types from the public .proto files",
      },
      {
        at: "proto/src/stream-server.ts",
        modules: ["node:http2", "node:net"],
        why: "the one listener of the peer port",
      },
      {
        at: "proto/src/handshake.ts",
        modules: ["node:crypto"],
        why: "HMAC over the shared key; a hash, no randomness",
      },
    ],
  },
  "services/replica": {
    rooms: ["api", "services/zab", "services/tree", "proto"],
    // Pure functions of their arguments: no disk, no clock.
    modules: ["node:path", "node:zlib"],
    doors: [{ at: "services/replica/src/world-node.ts", modules: ["node:fs", "node:crypto"], why: "the real world" }],
  },
  gateway: {
    rooms: ["api", "proto", "openapi"],
    modules: [],
    doors: [
      { at: "gateway/src/world-node.ts", modules: ["node:crypto"], why: "the real randomness" },
      {
        at: "gateway/src/identity.ts",
        modules: ["node:crypto", "node:buffer", "node:net"],
        why: "digests; address blocks",
      },
      {
        at: "gateway/src/rest/",
        modules: ["express", "node:http", "node:net", "node:buffer", "node:crypto"],
        why: "the REST door",
      },
      { at: "gateway/src/page-token.ts", modules: ["node:crypto"], why: "a checksum" },
      { at: "gateway/src/grpc/", modules: ["node:crypto"], why: "the gRPC door: hashes" },
      {
        at: "gateway/src/recipes/",
        modules: ["node:crypto"],
        why: "the hash of a secret that it draws; keys of tries",
      },
      {
        at: "gateway/src/grpc/server.ts",
        modules: ["@grpc/grpc-js", "node:net"],
        why: "the one listener of the gRPC port",
      },
      { at: "gateway/src/zookeeper/", modules: ["node:crypto"], why: "the ZooKeeper door: hashes" },
      { at: "gateway/src/zookeeper/server.ts", modules: ["node:net"], why: "the one listener of the ZooKeeper port" },
    ],
  },
  // A client like any other: it must not know more of the service than a gateway answers.
  "services/quorate/src/cli": {
    rooms: ["api", "api/client"],
    typesOf: ["openapi"],
    modules: ["node:*", "string-width"],
  },
  "services/quorate": {
    rooms: ["api", "gateway", "openapi", "proto", "services/replica", "services/tree", "services/zab"],
    modules: ["node:*", "yaml"],
  },
};

/** What of a room others may import by its path: a room inside of a workspace has no package of its own. */
const faces: readonly string[] = ["services/quorate/src/cli/cli.ts"];
/** A part of a package that is a face of its own, so that the rest of it is not loaded. */
const parts: readonly string[] = ["@quorate/client/rest"];

/** Drawing random bytes is world-node's business even where hashing is allowed. */
const randomness = new Set([
  "randomBytes",
  "randomInt",
  "randomUUID",
  "randomFill",
  "randomFillSync",
  "webcrypto",
  "getRandomValues",
]);
/** Executables may draw for themselves: nothing simulates them. */
const mayDraw = /world-node\.ts$|^services\/quorate\//;
/** What tests may use beside their room's own. */
const testPackages = new Set([
  "fast-check",
  "@grpc/grpc-js",
  "@grpc/proto-loader",
  "express",
  "yaml",
  "typescript",
  "openapi-typescript",
]);
const builtins = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));

export function importLaw(sources: readonly Source[]): Violation[] {
  const violations: Violation[] = [];
  for (const source of sources) {
    const room = roomOf(source.path);
    if (!room || !isProgram(source.path) || isGenerated(source.path)) continue;
    for (const each of importsOf(source)) {
      const what = source.path.startsWith("test/") ? judgeOfTest(each) : judge(source.path, room, each);
      if (what !== undefined) violations.push({ path: source.path, line: each.line, what });
    }
  }
  return violations;
}

function judgeOfTest(each: Import): string | undefined {
  if (builtins.has(each.from) && !each.from.startsWith("node:") && !testPackages.has(each.from))
    return `write node:${each.from}`;
  return undefined;
}

function judge(path: string, room: Room, each: Import): string | undefined {
  const { from } = each;
  if (from.startsWith(".")) return judgeRelative(path, room, resolveRelative(path, from));
  if (from.startsWith("@quorate/")) return judgeRoom(path, room, each);
  if (isTest(path))
    return from.startsWith("node:") || testPackages.has(from) ? undefined : `a test may not import ${from}`;
  const wall = walls[room as Exclude<Room, "test">];
  const doors = (wall.doors ?? []).filter(
    (door) => path === door.at || (door.at.endsWith("/") && path.startsWith(door.at)),
  );
  const allowed = [...wall.modules, ...doors.flatMap((door) => door.modules)];
  if (!allowed.includes(from) && !(from.startsWith("node:") && allowed.includes("node:*"))) {
    return `${room} may not import ${from} here`;
  }
  const drawn =
    from === "node:crypto" && !mayDraw.test(path) ? each.names.find((name) => randomness.has(name)) : undefined;
  if (drawn !== undefined) return `${drawn} is randomness: take it from the world`;
  if (from === "node:crypto" && each.names.length === 0 && !mayDraw.test(path))
    return "name what you take from node:crypto";
  return undefined;
}

function judgeRelative(path: string, room: Room, target: string): string | undefined {
  const other = roomOf(target);
  if (other !== room) {
    if (room === "services/quorate" && faces.includes(target)) return undefined;
    if (other === "test" && isTest(path)) return undefined;
    return other === "test"
      ? "nobody imports test"
      : `goes around the face of ${other ?? "its workspace"}: import its package`;
  }
  if (isTest(path)) return undefined;
  if (isTest(target)) return `${target} is for tests only`;
  const [door, otherDoor] = [doorOf(path), doorOf(target)];
  if (door !== undefined && otherDoor !== undefined && door !== otherDoor)
    return `the ${door} door imports the ${otherDoor} door`;
  if (door !== undefined && target.endsWith("/replica-link.ts"))
    return "a door knows the Backend port, not the link behind it";
  return undefined;
}

function doorOf(path: string): string | undefined {
  return /^gateway\/src\/(rest|grpc|zookeeper)\//.exec(path)?.[1];
}

function judgeRoom(path: string, room: Room, { from, typeOnly }: Import): string | undefined {
  const [, name = "", ...inside] = from.split("/");
  if (inside.length > 0 && !parts.includes(from)) return `goes around the face of @quorate/${name}`;
  const target = [...Object.keys(walls), "test"].find((each) => each.split("/").at(-1) === name) as Room | undefined;
  if (target === undefined) return `there is no @quorate/${name}`;
  if (target === "test") return "nobody imports test";
  const wall = walls[room as Exclude<Room, "test">];
  if (wall.rooms.includes(target)) return undefined;
  if (wall.typesOf?.includes(target) === true)
    return typeOnly ? undefined : `${room} may import types of ${target} alone: write import type`;
  return `${room} may not import ${target}${isTest(path) ? ", not even its tests" : ""}`;
}
