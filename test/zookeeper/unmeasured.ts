/**
 * The families of ZooKeeper's `mntr` that are left out at Quorate's port, with the reason: a monitor is told what is measured, and
 * nothing else. docs/zookeeper.md has the table; `node test/zookeeper/unmeasured.ts` writes it there.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Unmeasured {
  /** Names without `zk_` and without what is made of a spread (`avg_`, `p99_`); `*` stands for any part. */
  readonly families: readonly string[];
  readonly reason: string;
}

const document = join(import.meta.dirname, "../../docs/zookeeper.md");

export const unmeasured: readonly Unmeasured[] = [
  {
    families: ["p50_*", "p95_*", "p99_*", "p999_*"],
    reason: "quantiles are not kept: of each spread there are average, least, most, count and sum",
  },
  {
    families: ["local_sessions", "stale_sessions_expired", "connection_revalidate_count", "revalidate_count"],
    reason: "all sessions are the ensemble's; none has to be looked up again at the leader",
  },
  {
    families: ["synced_observers", "synced_non_voting_followers", "observer_sync_time", "om_*"],
    reason: "every member votes",
  },
  {
    families: [
      ...["outstanding_tls_handshake", "tls_handshake_exceeded", "unsuccessful_handshake", "non_mtls_*"],
      ...["insecure_admin_count", "ensemble_auth_*"],
    ],
    reason: "there is no TLS at this port, and no admin server",
  },
  {
    families: [
      ...["connection_drop_probability", "connection_token_deficit", "throttled_ops", "request_throttle_*"],
      ...["stale_requests", "stale_requests_dropped", "stale_replies"],
    ],
    reason: "nothing is thrown away for load: what has no room is left with its client",
  },
  {
    families: ["connection_request_count", "connection_drop_count", "sessionless_connections_expired"],
    reason:
      "not counted; `quorate_connections` and `quorate_connections_refused_total` of `/metrics` tell of connections",
  },
  {
    families: ["cnxn_closed_without_zk_server_running", "large_requests_rejected", "unrecoverable_error_count"],
    reason: "such a connection is closed, or the process ends; either is in the log, and not counted",
  },
  {
    families: [
      ...["prep_*", "sync_processor_*", "sync_process_time", "commit_*", "close_session_prep_time"],
      ...["proposal_latency", "proposal_ack_creation_latency", "proposal_process_time"],
      ...["propagation_latency", "quorum_ack_latency", "read_*", "write_*", "reads_*", "request_commit_queued"],
      ...["requests_*", "session_queues_drained", "pending_session_queue_size", "outstanding_changes_*"],
      ...["server_write_committed_time_ms", "local_write_committed_time_ms", "socket_closing_time"],
      ...["concurrent_request_processing_in_commit_processor", "time_waiting_empty_pool_*", "netty_*"],
      ...["learner_*", "skip_learner_request_to_next_processor_count", "*_learner_handler_*", "jvm_*"],
      ...["zookeeper_write_per_namespace"],
    ],
    reason:
      "stages of the Java server and its machine; here one loop does it all: `quorate_loop_slowest_turn_ms`, `quorate_submissions_waiting`, `quorate_apply_waiting` and `quorate_reads_waiting` of a replica's `/metrics`",
  },
  {
    families: [
      ...["diff_count", "snap_count", "inflight_*", "follower_sync_time", "digest_mismatches_count"],
      ...["quit_leading_due_to_disloyal_voter", "leader_unavailable_time"],
    ],
    reason: "not counted; a member whose state differs from the majority's ends",
  },
  {
    families: ["dbinittime", "startup_*", "restore_*", "snapshot_*"],
    reason: "a start is not measured; there is no command that takes or restores a snapshot",
  },
  {
    families: ["response_packet_*", "response_bytes", "bytes_received_count"],
    reason: "there is no cache of answers; bytes are not counted",
  },
  {
    families: ["watch_bytes", "node_*_watch_count", "*dead_watcher*"],
    reason: "watches are counted, not by kind of event; a closed connection's are gone at once",
  },
];

/** The row of a name as `mntr` has it; undefined: it is not meant to be missing. */
export function unmeasuredBy(name: string): Unmeasured | undefined {
  const family = name.replace(/^zk_/, "").replace(/^(avg|min|max|cnt|sum)_/, "");
  return unmeasured.find(({ families }) => families.some((each) => covers(each, family)));
}

export function covers(pattern: string, family: string): boolean {
  return new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(family);
}

/** As it stands in the document. */
function table(): string {
  const rows = unmeasured.map(({ families, reason }) => {
    return `| ${families.map((each) => `\`${each}\``).join(", ")} | ${reason} |`;
  });
  return ["| `mntr` without | why |", "| --- | --- |", ...rows].join("\n");
}

/** The document with the table as it should be. */
export function documentedUnmeasured(): { readonly text: string; readonly wanted: string } {
  const text = readFileSync(document, "utf8");
  return { text, wanted: text.replace(/\| `mntr` without \|(.|\n\|)*/, () => table()) };
}

if (import.meta.main) writeFileSync(document, documentedUnmeasured().wanted);
