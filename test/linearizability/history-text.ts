/** Histories as text, to be kept when they fail: a line of JSON for the settings, then one for each operation. */
import type { History, HistorySettings, Operation } from "./history.ts";
import { defaultSettings } from "./history.ts";

/** JSON has no Infinity. */
const never = "never";

export function formatHistory({ operations, settings = defaultSettings }: History): string {
  return `${[settings, ...operations].map((line) => JSON.stringify(line, encode)).join("\n")}\n`;
}

/** Of `formatHistory`'s text; throws on what is no JSON. */
export function parseHistory(text: string): History {
  const [settings, ...operations] = text.trimEnd().split("\n");
  return {
    settings: JSON.parse(settings ?? "{}", decode) as HistorySettings,
    operations: operations.map((line) => JSON.parse(line, decode) as Operation),
  };
}

function encode(_: string, value: unknown): unknown {
  return value === Number.POSITIVE_INFINITY ? never : value;
}

function decode(name: string, value: unknown): unknown {
  const isTime = name === "answered" || name === "sessionEndBoundMillis" || name === "to";
  return isTime && value === never ? Number.POSITIVE_INFINITY : value;
}
