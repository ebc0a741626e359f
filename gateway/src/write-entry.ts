/** One write on its way through the gateway's lane, and how large it is before it is encoded. */
import type { TxnOperation, WriteOperation } from "@quorate/api";
import type { Answer, WriteRequest } from "./backend.ts";
import type { Timed } from "./deadlines.ts";
import type { Queued } from "./queue.ts";

export class WriteEntry implements Timed, Queued<WriteEntry> {
  readonly deadline: number;
  /** Gone once nobody waits any more. */
  request: WriteRequest | undefined;
  /** Gone once answered; an entry without it and with a number is still sent until it is decided. */
  resolve: ((answer: Answer) => void) | undefined;
  /** Estimated until it is encoded. */
  size: number;
  /** 0: it has none, and is in no try of unknown fate. */
  sequence: number = 0;
  /** The encoded message of its number. */
  message: Uint8Array | undefined;
  /** Its outcome is known. */
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
    this.size = 256 + operationSize(request.operation);
  }
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
