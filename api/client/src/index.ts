/** The client's public face. */
export { textOf } from "./calls.ts";
export { GrpcClient } from "./grpc/grpc-client.ts";
export type * from "./locks.ts";
export type * from "./quorate.ts";
export { QuorateError } from "./quorate-error.ts";
export { RestClient, type RestClientOptions } from "./rest/rest-client.ts";
