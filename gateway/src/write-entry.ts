/** One write on its way through the gateway's lane, and how large it is before it is encoded. */
import type { TxnOperation, WriteOperation } from "@quorate/api";
import type { Answer, WriteRequest } from "./backend.ts";
import type { Timed } from "./deadlines.ts";
import type { Numbered } from "./lane-window.ts";
import type { Queued } from "./queue.ts";
import type { WriteMessage } from "./stream.ts";

export class WriteEntry implements Timed, Numbered, Queued<WriteEntry> {
  readonly deadline: number;
  /** Gone once nobody waits any more. */
  request: WriteRequest | undefined;
  /** Gone once answered; an entry without it and with a number is still sent until it is decided. */
  resolve: ((answer: Answer) => void) | undefined;
  size: number;
  sequence: number = 0;
  message: WriteMessage | undefined;
  decided: boolean = false;
  wheelSlot: number = -1;
  wheelPlace: number = 0;
  queue: unknown = undefined;
  before: WriteEntry | undefined = undefined;
  after: WriteEntry | undefined = undefined;

  constructor(request: WriteRequest, deadline: number, resolve: (answer: Answer) => void) {
    this.request = request;
    this.deadline = deadline;
    this.resolve = resolve;
    this.size = sizeOfWrite(request.operation);
  }
}

/** Before it is encoded. */
export function sizeOfWrite(operation: WriteOperation): number {
  return 256 + operationSize(operation);
}

function operationSize(operation: WriteOperation | TxnOperation): number {
  switch (operation.kind) {
    case "create":
    case "put":
    case "set":
      return 64 + operation.path.length + operation.data.length;
    case "txn": {
      let size = 64;
      for (const each of operation.check) size += 64 + each.path.length;
      for (const each of operation.then) size += operationSize(each);
      for (const each of operation.else ?? []) size += operationSize(each);
      return size;
    }
    case "delete":
    case "setAcl":
    case "check":
    case "get":
    case "exists":
    case "children":
      return 64 + operation.path.length;
    default:
      return 256;
  }
}
