/** The gateway's public face: the doors, and the port behind them. */
export type {
  Answer,
  Backend,
  ClusterMember,
  ClusterView,
  Cursor,
  Following,
  FollowListener,
  LaneAnswer,
  LaneListener,
  LaneOpening,
  LaneWrite,
  ReadRequest,
  RenewAnswer,
  SessionLane,
  TreePages,
  TreeRequest,
  WatchEnd,
  Watching,
  WatchListener,
  WatchOpening,
  WatchRequest,
  WriteRequest,
} from "./backend.ts";
export { createDial, type GatewayDialOptions } from "./dial.ts";
export type { GrpcOptions } from "./grpc/call.ts";
export { type GrpcLimits, grpcLimits } from "./grpc/limits.ts";
export { createGrpcServer, type GrpcServer } from "./grpc/server.ts";
export { digestOf } from "./identity.ts";
export type { GatewayTimer, GatewayWorld } from "./ports.ts";
export { createRecipes, type RecipesOptions, type RecipesStatus } from "./recipes/create.ts";
export { recipeLimits } from "./recipes/limits.ts";
export type {
  Contender,
  ElectionState,
  Fence,
  Layout,
  LockKind,
  LockMode,
  LockState,
  Place,
  RecipeAnswer,
  Recipes,
} from "./recipes/recipes.ts";
export {
  type Dial,
  type LinkStatus,
  type ReplicaConnection,
  type ReplicaEvents,
  ReplicaLink,
  type ReplicaLinkOptions,
} from "./replica-link.ts";
export type { Readiness, ReadinessCheck, RestOptions } from "./rest/call.ts";
export { headerNames } from "./rest/head.ts";
export { type RestLimits, restLimits } from "./rest/limits.ts";
export { type Route, routes } from "./rest/routes.ts";
export { createRestServer, type RestServer } from "./rest/server.ts";
export { type DoorName, doorNames, SocketBudget, type SocketBudgetOptions } from "./socket-budget.ts";
export type { ReplicaStream } from "./stream.ts";
export { type BadCursor, cursorHistoryDigits, formatCursor, isBadCursor, parseCursor } from "./watch/cursor.ts";
export { type WatchAnswered, Watches, type WatchPorts } from "./watch/hub.ts";
export { createNodeWorld } from "./world-node.ts";
export type { OperationCount, OperationCounts } from "./zookeeper/counts.ts";
export type { ZookeeperFigures, ZookeeperOptions } from "./zookeeper/door.ts";
export { fourLetterWords, plainWords, readWords } from "./zookeeper/four-letter.ts";
export type { ProcessFacts } from "./zookeeper/four-letter-source.ts";
export { type ZookeeperLimits, zookeeperLimits } from "./zookeeper/limits.ts";
export { createZookeeperServer, type ZookeeperServer } from "./zookeeper/server.ts";
