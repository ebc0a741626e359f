/** All commands that ask a gateway, in the order in which help names them. */
import type { Command } from "./command.ts";
import { aclGet, aclSet } from "./commands/acl.ts";
import { clusterStatus, leaderTransfer } from "./commands/cluster.ts";
import { complete, completion } from "./commands/completion.ts";
import { elect } from "./commands/elect.ts";
import { exportCommand } from "./commands/export.ts";
import { get, stat } from "./commands/get.ts";
import { importCommand } from "./commands/import.ts";
import { lock } from "./commands/lock.ts";
import { ls } from "./commands/ls.ts";
import { create, put } from "./commands/put.ts";
import { rm } from "./commands/rm.ts";
import { sessionClose, sessionKeep, sessionList, sessionOpen, sessionRenew, sessionShow } from "./commands/session.ts";
import { tree } from "./commands/tree.ts";
import { txn } from "./commands/txn.ts";
import { watch } from "./commands/watch.ts";

export const commands: readonly Command[] = [
  ls,
  get,
  put,
  create,
  rm,
  stat,
  tree,
  watch,
  txn,
  aclGet,
  aclSet,
  lock,
  elect,
  sessionOpen,
  sessionKeep,
  sessionRenew,
  sessionShow,
  sessionList,
  sessionClose,
  clusterStatus,
  leaderTransfer,
  exportCommand,
  importCommand,
  completion,
];

/** What the shell asks, and nobody types. */
export const hidden: readonly Command[] = [complete];
