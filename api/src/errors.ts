/**
 * The one error table: each failure that a client can see, with its code at every door and whether a request that got
 * it may have had an effect. Doors look up; none has a list of its own.
 */

/** `noEffect`: certainly nothing was done. `unknown`: it may have been. */
export type Certainty = "noEffect" | "unknown";

export interface ErrorCodes {
  /** ZooKeeper's KeeperException.Code; undefined where ZooKeeper has nothing alike. */
  readonly zookeeper: number | undefined;
  /** google.rpc.Code. */
  readonly grpc: number;
  /** 0: never answered to REST. */
  readonly http: number;
  readonly certainty: Certainty;
  readonly title: string;
}

export const errors = {
  badArguments: { zookeeper: -8, grpc: 3, http: 400, certainty: "noEffect", title: "The request is malformed" },
  invalidAcl: { zookeeper: -114, grpc: 3, http: 400, certainty: "noEffect", title: "The ACL is not valid" },
  authFailed: { zookeeper: -115, grpc: 16, http: 401, certainty: "noEffect", title: "The credentials were refused" },
  noAuth: { zookeeper: -102, grpc: 7, http: 403, certainty: "noEffect", title: "Not permitted" },
  quotaExceeded: { zookeeper: -125, grpc: 8, http: 403, certainty: "noEffect", title: "A quota is used up" },
  noNode: { zookeeper: -101, grpc: 5, http: 404, certainty: "noEffect", title: "No such znode" },
  noParent: { zookeeper: -101, grpc: 9, http: 409, certainty: "noEffect", title: "The parent does not exist" },
  nodeExists: { zookeeper: -110, grpc: 6, http: 409, certainty: "noEffect", title: "The znode exists" },
  notEmpty: { zookeeper: -111, grpc: 9, http: 409, certainty: "noEffect", title: "The znode has children" },
  noChildrenForEphemerals: {
    zookeeper: -108,
    grpc: 9,
    http: 409,
    certainty: "noEffect",
    title: "Ephemeral znodes have no children",
  },
  badVersion: { zookeeper: -103, grpc: 10, http: 412, certainty: "noEffect", title: "The condition does not hold" },
  fenced: {
    zookeeper: -103,
    grpc: 10,
    http: 412,
    certainty: "noEffect",
    title: "The lock or leadership has passed on",
  },
  sessionExpired: { zookeeper: -112, grpc: 9, http: 410, certainty: "noEffect", title: "The session is over" },
  sessionMoved: { zookeeper: -118, grpc: 10, http: 0, certainty: "noEffect", title: "The session has moved" },
  cursorTooOld: { zookeeper: undefined, grpc: 11, http: 410, certainty: "noEffect", title: "The cursor is too old" },
  cursorOfAnotherHistory: {
    zookeeper: undefined,
    grpc: 11,
    http: 410,
    certainty: "noEffect",
    title: "The cursor is of another history",
  },
  pageTooOld: { zookeeper: undefined, grpc: 11, http: 410, certainty: "noEffect", title: "The page is too old" },
  tooLarge: { zookeeper: -8, grpc: 3, http: 413, certainty: "noEffect", title: "Too large" },
  keyReused: {
    zookeeper: undefined,
    grpc: 3,
    http: 422,
    certainty: "noEffect",
    title: "The idempotency key belongs to another request",
  },
  throttled: { zookeeper: -127, grpc: 8, http: 429, certainty: "noEffect", title: "Too many requests" },
  noLeader: { zookeeper: -4, grpc: 14, http: 503, certainty: "noEffect", title: "No leader" },
  behind: { zookeeper: -4, grpc: 14, http: 503, certainty: "noEffect", title: "Not caught up" },
  connectionLoss: { zookeeper: -4, grpc: 2, http: 502, certainty: "unknown", title: "The answer was lost" },
  timeout: { zookeeper: -7, grpc: 4, http: 504, certainty: "unknown", title: "Out of time" },
  unimplemented: { zookeeper: -6, grpc: 12, http: 501, certainty: "noEffect", title: "Not implemented" },
  internal: { zookeeper: -1, grpc: 13, http: 500, certainty: "unknown", title: "Internal error" },
} as const satisfies Record<string, ErrorCodes>;

export type ErrorCode = keyof typeof errors;

/** Failures that only HTTP has: nothing of the request was done. */
export const httpErrors = {
  noRoute: { http: 404, certainty: "noEffect", title: "No such route" },
  methodNotAllowed: { http: 405, certainty: "noEffect", title: "The method is not allowed here" },
  notAcceptable: { http: 406, certainty: "noEffect", title: "No acceptable representation" },
  requestTimeout: { http: 408, certainty: "noEffect", title: "The request did not arrive in time" },
  unsupportedMediaType: { http: 415, certainty: "noEffect", title: "The media type is not supported" },
  headersTooLarge: { http: 431, certainty: "noEffect", title: "The headers are too large" },
} as const satisfies Record<string, Pick<ErrorCodes, "http" | "certainty" | "title">>;

export type HttpErrorCode = keyof typeof httpErrors;

/** In the table's order, which the codec uses as numbers: append only. */
export const errorCodes: readonly ErrorCode[] = Object.keys(errors) as ErrorCode[];

/**
 * A request that got no outcome from the replicated state: no leader, no quorum, out of time. Raised by shells, never
 * by the pure rooms.
 */
export class AvailabilityError extends Error {
  override readonly name: string = "AvailabilityError";
  readonly code: ErrorCode;
  /** Of this request with all its tries. */
  readonly certainty: Certainty;
  readonly retryAfterMillis: number;

  constructor(code: ErrorCode, detail: string, certainty: Certainty = errors[code].certainty, retryAfterMillis = 1000) {
    super(detail);
    this.code = code;
    this.certainty = certainty;
    this.retryAfterMillis = retryAfterMillis;
  }
}
