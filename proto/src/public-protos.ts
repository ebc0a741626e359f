/** Which .proto files are the public contract, and the form that their messages have in TypeScript. */
import type { Options } from "@grpc/proto-loader";

export const publicProtos: readonly string[] = [
  "quorate/v1/coordination.proto",
  "quorate/v1/locks.proto",
  "quorate/v1/elections.proto",
  "quorate/v1/cluster.proto",
];
export const healthProto = "grpc/health/v1/health.proto";

/**
 * Fields in camelCase and absent where they are not given, enums by name (an unknown one stays a number), int64 as numbers:
 * one beyond 2^53 comes out unsafe, which whoever reads it must look at.
 */
export const loading: Options = { keepCase: false, longs: Number, enums: String, defaults: false, oneofs: true };
