/** Prints what encoding and decoding cost: `node test/bench/codec.ts`. Best of several rounds, in ns each. */
import {
  anyone,
  type Command,
  decodeCommand,
  decodeOutcome,
  decodeRead,
  encodeCommand,
  encodeOutcome,
  encodeRead,
  joinCommands,
  type Outcome,
  type Path,
  type SessionId,
  splitCommands,
  type Zxid,
} from "@quorate/api";
import { decodeFromGateway, decodeToGateway, encodeFromGateway, encodeWritten } from "@quorate/proto";

const rounds = 7;
const turns = 200_000;
const zxid = 0x2_0000_0017 as Zxid;
const session = 0x1_0000_0003 as SessionId;
const path = "/services/billing/instances/host-0000017" as Path;

const command: Command = {
  lane: { session, attachment: 1, sequence: 70_000, answeredUpTo: 69_900 },
  identity: anyone,
  operation: { kind: "put", path, data: new Uint8Array(100).fill(120), parents: false, condition: {} },
};
const stat = {
  czxid: zxid,
  mzxid: zxid,
  pzxid: zxid,
  ctime: 1_790_000_000_000,
  mtime: 1_790_000_000_000,
  version: 3,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0 as SessionId,
  dataLength: 100,
  numChildren: 0,
  kind: "persistent",
  ttlMillis: 0,
} as const;
const outcome: Outcome = { ok: true, zxid, result: { kind: "node", path, created: false, stat } };

const commandBytes = encodeCommand(command);
const outcomeBytes = encodeOutcome(outcome);
const readBytes = encodeRead({ kind: "get", path });
const writtenBytes = encodeWritten(session, 70_000, outcomeBytes);
const writeBytes = encodeFromGateway({ kind: "write", session, sequence: 70_000, command: commandBytes });
const batch = new Array<Uint8Array>(64).fill(commandBytes);
const payload = joinCommands(batch);

/** What each turn makes is looked at, so that none of it can be left out. */
function measure(name: string, bytes: number, divisor: number, run: () => unknown): void {
  let best = Number.POSITIVE_INFINITY;
  let seen = 0;
  const count = Math.ceil(turns / divisor);
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    for (let i = 0; i < count; i++) if (run() !== undefined) seen++;
    best = Math.min(best, performance.now() - start);
  }
  if (seen !== rounds * count) throw new Error(`${name} failed`);
  const nanos = ((best / count / divisor) * 1e6).toFixed(0);
  console.log(`${name.padEnd(34)} ${String(bytes).padStart(5)} bytes ${nanos.padStart(6)} ns`);
}

measure("encodeCommand (PUT, 40 + 100 bytes)", commandBytes.length, 1, () => encodeCommand(command));
measure("decodeCommand", commandBytes.length, 1, () => decodeCommand(commandBytes));
measure("joinCommands, each of 64", payload.length, batch.length, () => joinCommands(batch));
measure("splitCommands, each of 64", payload.length, batch.length, () => splitCommands(payload, batch.length));
measure("encodeOutcome (node)", outcomeBytes.length, 1, () => encodeOutcome(outcome));
measure("decodeOutcome", outcomeBytes.length, 1, () => decodeOutcome(outcomeBytes));
measure("encodeRead (get)", readBytes.length, 1, () => encodeRead({ kind: "get", path }));
measure("decodeRead", readBytes.length, 1, () => decodeRead(readBytes));
measure("write to the replica, encode", writeBytes.length, 1, () =>
  encodeFromGateway({ kind: "write", session, sequence: 70_000, command: commandBytes }),
);
measure("write to the replica, decode", writeBytes.length, 1, () => decodeFromGateway(writeBytes));
measure("written to the gateway, encode", writtenBytes.length, 1, () => encodeWritten(session, 70_000, outcomeBytes));
measure("written to the gateway, decode", writtenBytes.length, 1, () => decodeToGateway(writtenBytes));
