/** Operations as people read them. */
import { formatZxid, unreachable, type Zxid } from "@quorate/api";
import type {
  CheckCall,
  DeleteCall,
  Operation,
  PutCall,
  ReadCall,
  RegisterCondition,
  TxnPart,
  ZxidNumber,
} from "./history.ts";

export function zxidText(zxid: ZxidNumber): string {
  return formatZxid(zxid as Zxid);
}

/** Such as `#12 client 3, 120.5–123.1 ms: put a = "v12" if mzxid 0x…: version 3, mzxid 0x…`. */
export function describe(operation: Operation): string {
  const { id, process, invoked, answered } = operation;
  const until = answered === Number.POSITIVE_INFINITY ? "…" : answered.toFixed(1);
  return `#${id} client ${process}, ${invoked.toFixed(1)}–${until} ms: ${callText(operation)}: ${answerText(operation)}`;
}

/** Such as `#12 (put a = "v12")`. */
export function brief(operation: Operation): string {
  return `#${operation.id} (${callText(operation)})`;
}

function callText(operation: Operation): string {
  switch (operation.model) {
    case "registers": {
      const { call } = operation;
      if (call.kind !== "txn") return partText(call);
      const other = call.else === undefined ? "" : ` else {${call.else.map(partText).join("; ")}}`;
      return `txn if {${call.check.map(partText).join("; ")}} then {${call.then.map(partText).join("; ")}}${other}`;
    }
    case "sequence": {
      const { call } = operation;
      if (call.kind === "append") return `create ${call.prefix}…`;
      return call.kind === "list" ? "list" : `delete ${call.name}`;
    }
    case "lock": {
      const { call } = operation;
      if (call.kind === "acquire") return `acquire by session ${call.session}`;
      if (call.kind === "observe") return "observe";
      return `release by session ${call.session}${call.token === undefined ? "" : ` if token ${zxidText(call.token)}`}`;
    }
    case "session":
      return `${operation.call.kind} session ${operation.object}`;
    default:
      return unreachable(operation);
  }
}

export function partText(part: TxnPart | ReadCall | PutCall | DeleteCall | CheckCall): string {
  switch (part.kind) {
    case "read":
      return `read ${part.key}`;
    case "put":
      return `put ${part.key} = ${JSON.stringify(part.value)}${conditionText(part.condition)}`;
    case "delete":
      return `delete ${part.key}${conditionText(part.condition)}`;
    case "check":
      return `${part.key}${conditionText(part)}`;
    default:
      return unreachable(part);
  }
}

function conditionText(condition: RegisterCondition | undefined): string {
  if (condition === undefined) return "";
  const { exists, mzxid, version } = condition;
  const parts: string[] = [];
  if (exists !== undefined) parts.push(exists ? "it exists" : "it does not exist");
  if (mzxid !== undefined) parts.push(`mzxid ${zxidText(mzxid)}`);
  if (version !== undefined) parts.push(`version ${version}`);
  return parts.length === 0 ? "" : ` if ${parts.join(" and ")}`;
}

function answerText({ answer }: Operation): string {
  switch (answer.kind) {
    case "ok":
      return resultText(answer.result);
    case "failed": {
      const place = answer.place === undefined ? "" : ` at ${answer.place.in} ${answer.place.index}`;
      return `failed, ${answer.code}${place}`;
    }
    case "noEffect":
      return `no effect${answer.code === undefined ? "" : `, ${answer.code}`}`;
    case "unknown":
      return `unknown${answer.code === undefined ? "" : `, ${answer.code}`}`;
    default:
      return unreachable(answer);
  }
}

type AnyResult = Extract<Operation["answer"], { kind: "ok" }>["result"];
type TxnPartResultLike = Extract<AnyResult, { kind: "txn" }>["results"][number];

function resultText(result: AnyResult | TxnPartResultLike): string {
  switch (result.kind) {
    case "read": {
      const { znode } = result;
      if (znode === null) return "absent";
      return `${JSON.stringify(znode.value)} version ${znode.version} mzxid ${zxidText(znode.mzxid)}`;
    }
    case "put":
      return `version ${result.version} mzxid ${zxidText(result.mzxid)}${result.created ? " created" : ""}`;
    case "txn":
      return `${result.branch} {${result.results.map(resultText).join("; ")}}`;
    case "append":
      return result.name;
    case "list":
      return `[${result.names.join(" ")}]`;
    case "acquire":
      return `token ${zxidText(result.token)}`;
    case "observe":
      if (result.holder === null) return "free";
      return `held by ${zxidText(result.holder.owner)} token ${zxidText(result.holder.token)}`;
    case "session":
      return result.id === undefined ? "ok" : `id ${zxidText(result.id)}`;
    case "delete":
    case "remove":
    case "release":
      return result.at === undefined ? "ok" : `ok at ${zxidText(result.at)}`;
    case "check":
      return "ok";
    default:
      return unreachable(result);
  }
}
