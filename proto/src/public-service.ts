/**
 * The public services as grpc-js wants them: paths and codecs of each method, from the .proto files, which are read once, when
 * they are first asked for. A client takes `definition`, which has both codecs; a server may take the bytes and decode for
 * itself, so that what does not decode gets an answer of ours.
 */
import { fileURLToPath } from "node:url";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import type * as v1 from "./gen/quorate-v1.ts";
import { healthProto, loading, publicProtos } from "./public-protos.ts";

export interface HealthCheckRequest {
  readonly service?: string | undefined;
}

export interface HealthCheckResponse {
  readonly status?: "UNKNOWN" | "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN" | undefined;
}

/** Request and response of each method, by service. */
export interface PublicMethods {
  readonly Coordination: {
    readonly Create: readonly [v1.CreateRequest, v1.CreateResponse];
    readonly Put: readonly [v1.PutRequest, v1.PutResponse];
    readonly Get: readonly [v1.GetRequest, v1.GetResponse];
    readonly Exists: readonly [v1.ExistsRequest, v1.ExistsResponse];
    readonly Set: readonly [v1.SetRequest, v1.SetResponse];
    readonly Delete: readonly [v1.DeleteRequest, v1.DeleteResponse];
    readonly ListChildren: readonly [v1.ListChildrenRequest, v1.ListChildrenResponse];
    readonly GetTree: readonly [v1.GetTreeRequest, v1.GetTreeResponse];
    readonly GetAcl: readonly [v1.GetAclRequest, v1.GetAclResponse];
    readonly SetAcl: readonly [v1.SetAclRequest, v1.SetAclResponse];
    readonly Txn: readonly [v1.TxnRequest, v1.TxnResponse];
    readonly Sync: readonly [v1.SyncRequest, v1.SyncResponse];
    readonly CreateSession: readonly [v1.CreateSessionRequest, v1.CreateSessionResponse];
    readonly RenewSession: readonly [v1.RenewSessionRequest, v1.RenewSessionResponse];
    readonly CloseSession: readonly [v1.CloseSessionRequest, v1.CloseSessionResponse];
    readonly GetSession: readonly [v1.GetSessionRequest, v1.GetSessionResponse];
    readonly ListSessions: readonly [v1.ListSessionsRequest, v1.ListSessionsResponse];
    readonly Watch: readonly [v1.WatchRequest, v1.WatchResponse];
    readonly Session: readonly [v1.SessionRequest, v1.SessionResponse];
  };
  readonly Locks: {
    readonly Acquire: readonly [v1.AcquireRequest, v1.AcquireResponse];
    readonly Release: readonly [v1.ReleaseRequest, v1.ReleaseResponse];
    readonly GetLock: readonly [v1.GetLockRequest, v1.GetLockResponse];
  };
  readonly Elections: {
    readonly Campaign: readonly [v1.CampaignRequest, v1.CampaignResponse];
    readonly Proclaim: readonly [v1.ProclaimRequest, v1.ProclaimResponse];
    readonly Resign: readonly [v1.ResignRequest, v1.ResignResponse];
    readonly GetLeader: readonly [v1.GetLeaderRequest, v1.GetLeaderResponse];
    readonly Observe: readonly [v1.ObserveRequest, v1.ObserveResponse];
  };
  readonly Cluster: {
    readonly ListMembers: readonly [v1.ListMembersRequest, v1.ListMembersResponse];
    readonly HandOver: readonly [v1.HandOverRequest, v1.HandOverResponse];
  };
  readonly Health: {
    readonly Check: readonly [HealthCheckRequest, HealthCheckResponse];
    readonly Watch: readonly [HealthCheckRequest, HealthCheckResponse];
  };
}

export type PublicService = keyof PublicMethods;

export const publicServiceNames: { readonly [service in PublicService]: string } = {
  Coordination: "quorate.v1.Coordination",
  Locks: "quorate.v1.Locks",
  Elections: "quorate.v1.Elections",
  Cluster: "quorate.v1.Cluster",
  Health: "grpc.health.v1.Health",
};

/** One method's path and codecs. `decode…` throw at bytes that are no such message. */
export interface PublicMethod<Request, Response> {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  encodeRequest(request: Request): Buffer;
  decodeRequest(bytes: Uint8Array): Request;
  encodeResponse(response: Response): Buffer;
  decodeResponse(bytes: Uint8Array): Response;
}

export type PublicMethodTable<Service extends PublicService> = {
  readonly [Name in keyof PublicMethods[Service]]: PublicMethods[Service][Name] extends readonly [infer Q, infer R]
    ? PublicMethod<Q, R>
    : never;
};

export interface PublicServices {
  /** Of both packages: for reflection. */
  readonly packages: PackageDefinition;
  readonly methods: { readonly [Service in PublicService]: PublicMethodTable<Service> };
}

const folder = fileURLToPath(new URL("..", import.meta.url));
let loaded: PublicServices | undefined;

export function publicServices(): PublicServices {
  loaded ??= load();
  return loaded;
}

function load(): PublicServices {
  const packages = loadSync([...publicProtos, healthProto], { ...loading, includeDirs: [folder] });
  const tables = Object.entries(publicServiceNames).map(([service, full]) => {
    const methods = Object.entries(packages[full] as ServiceDefinition).map(([name, method]) => [
      name,
      {
        path: method.path,
        requestStream: method.requestStream,
        responseStream: method.responseStream,
        encodeRequest: method.requestSerialize,
        decodeRequest: method.requestDeserialize,
        encodeResponse: method.responseSerialize,
        decodeResponse: method.responseDeserialize,
      },
    ]);
    return [service, Object.fromEntries(methods)];
  });
  return { packages, methods: Object.fromEntries(tables) as PublicServices["methods"] };
}
