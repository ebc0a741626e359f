/**
 * ZooKeeper's four-letter words: what a connection sends in place of a first frame, for people and monitors. Each is answered
 * in ZooKeeper 3.9's own lines and the connection is closed. Only those that are allowed are; `srvr` always is.
 */
import { dump } from "./four-letter-dump.ts";
import { configuration, directories, environment } from "./four-letter-facts.ts";
import { monitor } from "./four-letter-monitor.ts";
import { connectionList, serverReport, watchesByPath, watchesBySession, watchSummary } from "./four-letter-report.ts";
import type { FourLetterSource } from "./four-letter-source.ts";

export const fourLetterWords = [
  ...["conf", "cons", "crst", "dirs", "dump", "envi", "gtmk", "hash", "isro"],
  ...["mntr", "ruok", "srst", "srvr", "stat", "stmk", "wchc", "wchp", "wchs"],
] as const;

/** What monitors ask for: they change nothing and tell of no session, but of clients' addresses, and of this process's machine. */
export const plainWords: readonly string[] = ["srvr", "stat", "ruok", "mntr", "wchs", "conf", "isro", "envi"];

const always = "srvr";
const notServing = "This ZooKeeper instance is not currently serving requests";
/** What telnet sends when it closes. */
const telnetClose = 0xfff4fffd | 0;

const byFirst: ReadonlyMap<number, string> = new Map(
  fourLetterWords.map((word) => [[...word].reduce((sum, letter) => (sum << 8) | letter.charCodeAt(0), 0), word]),
);

/** The word that the first four bytes of a connection are; undefined: they are a length. */
export function wordOf(first: number): string | undefined {
  return first === telnetClose ? "telnet close" : byFirst.get(first);
}

/** The words of a list such as `srvr,stat`; `*` is all of them. `bad`: one that is none. */
export function readWords(list: string): readonly string[] | { readonly bad: string } {
  const words = list
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
  if (words.includes("*")) return fourLetterWords;
  const bad = words.find((each) => !(fourLetterWords as readonly string[]).includes(each));
  return bad === undefined ? words : { bad };
}

/** What is sent before the connection is closed. It may throw, or reject, where the process cannot say what it is asked. */
export function answerWord(
  word: string,
  allowed: readonly string[],
  source: FourLetterSource,
): string | Promise<string> {
  if (word !== always && !allowed.includes(word)) {
    return `${word} is not executed because it is not in the whitelist.\n`;
  }
  const plain = plainAnswer(word, source);
  if (plain !== undefined) return plain;
  return source.state === "interrupted" ? `${notServing}\n` : report(word, source);
}

/** What is answered whether there is a leader or not. */
function plainAnswer(word: string, source: FourLetterSource): string | undefined {
  switch (word) {
    case "ruok":
      return "imok";
    case "isro":
      return source.state === "serving" ? "rw" : source.state === "readOnly" ? "ro" : "null";
    case "envi":
      return environment(source);
    // There are no traces, so that none is on.
    case "gtmk":
    case "stmk":
      return "0";
    default:
      return undefined;
  }
}

function report(word: string, source: FourLetterSource): string | Promise<string> {
  switch (word) {
    case "srvr":
    case "stat":
      return serverReport(source, word === "stat");
    case "mntr":
      return monitor(source);
    case "conf":
      return configuration(source);
    case "cons":
      return connectionList(source);
    case "dirs":
      return directories(source);
    case "dump":
      return dump(source);
    case "wchs":
      return watchSummary(source);
    case "wchc":
      return watchesBySession(source);
    case "wchp":
      return watchesByPath(source);
    case "crst":
      source.resetConnections();
      return "Connection stats reset.\n";
    case "srst":
      source.resetStatistics();
      return "Server stats reset.\n";
    default:
      // hash: ZooKeeper's list of digests by zxid, which is empty while it has none.
      return "";
  }
}
