/**
 * Events and states as text: JSON, server-sent events (WHATWG HTML, 9.2), lines of JSON. What one change wakes thousands
 * for is encoded once: the texts are kept with the event, for as long as anybody has it.
 */
import { formatZxid, type WatchEvent, type WatchState } from "@quorate/api";
import { dataJson, type Encoding, statJson, timeText } from "./stat-json.ts";

/** Bytes for a socket: with the frame of a chunk (RFC 9112, 7.1) and without. */
export interface Piece {
  readonly chunked: Buffer;
  readonly plain: Buffer;
}

export function pieceOf(text: string): Piece {
  const length = Buffer.byteLength(text);
  const size = `${length.toString(16)}\r\n`;
  const chunked = Buffer.from(`${size}${text}\r\n`);
  return { chunked, plain: chunked.subarray(size.length, size.length + length) };
}

const eventTexts = new WeakMap<WatchEvent, string>();

/** Without the closing brace: data or a cursor may follow. */
function eventText(event: WatchEvent): string {
  let text = eventTexts.get(event);
  if (text === undefined) {
    text = `{"zxid":"${formatZxid(event.zxid)}","type":"${event.type}","path":${JSON.stringify(event.path)}`;
    text += `,"version":${event.version},"czxid":"${formatZxid(event.czxid)}","time":"${timeText(event.time)}"`;
    eventTexts.set(event, text);
  }
  return text;
}

/** Without the closing brace. */
export function stateText(state: WatchState, forced: Encoding | undefined): string {
  const exists = state.stat !== undefined;
  let text = `{"scope":"${state.scope}","path":${JSON.stringify(state.path)},"exists":${exists}`;
  if (state.stat !== undefined) text += `,"stat":${statJson(state.stat)}`;
  if (state.scope === "children") text += `,"children":${JSON.stringify(state.children)}`;
  else if (state.data !== undefined) text += `,${dataJson(state.data, forced)}`;
  return text;
}

/** How a stream says things. Texts come without their closing brace. */
export interface StreamForm {
  /** `cursor`: it may be gone on from behind this. */
  event(type: string, text: string, cursor: string | undefined): string;
  state(text: string, cursor: string | undefined): string;
  cursor(cursor: string): string;
  end(cursor: string, code: string | undefined, detail: string): string;
}

function endText(cursor: string, code: string | undefined, detail: string): string {
  return JSON.stringify({ code, detail, cursor });
}

const serverSent: StreamForm = {
  event: (type, text, cursor) => `${idLine(cursor)}event: ${type}\ndata: ${text}}\n\n`,
  state: (text, cursor) => `${idLine(cursor)}event: state\ndata: ${text}}\n\n`,
  cursor: (cursor) => `${idLine(cursor)}event: cursor\ndata: {"cursor":"${cursor}"}\n\n`,
  end: (cursor, code, detail) => `${idLine(cursor)}event: end\ndata: ${endText(cursor, code, detail)}\n\n`,
};

function idLine(cursor: string | undefined): string {
  return cursor === undefined ? "" : `id: ${cursor}\n`;
}

const lines: StreamForm = {
  event: (_, text, cursor) => `${text}${cursorField(cursor)}}\n`,
  state: (text, cursor) => `{"type":"state",${text.slice(1)}${cursorField(cursor)}}\n`,
  cursor: (cursor) => `{"type":"cursor","cursor":"${cursor}"}\n`,
  end: (cursor, code, detail) => `{"type":"end",${endText(cursor, code, detail).slice(1)}\n`,
};

function cursorField(cursor: string | undefined): string {
  return cursor === undefined ? "" : `,"cursor":"${cursor}"`;
}

export const streamForms: Readonly<Record<"text/event-stream" | "application/x-ndjson", StreamForm>> = {
  "text/event-stream": serverSent,
  "application/x-ndjson": lines,
};

/** `data`: for each event what stands behind it, such as `,"data":…`; undefined: nothing for any. */
export type EventData = readonly string[] | undefined;

function streamText(
  form: StreamForm,
  events: readonly WatchEvent[],
  data: EventData,
  cursorAt: (event: WatchEvent) => string,
): string {
  let text = "";
  for (let i = 0; i < events.length; i++) {
    const event = events[i] as WatchEvent;
    // A break in the midst of a transaction must repeat all of it: only its last event can be gone on from.
    const cursor = events[i + 1]?.zxid === event.zxid ? undefined : cursorAt(event);
    text += form.event(event.type, eventText(event) + (data?.[i] ?? ""), cursor);
  }
  return text;
}

/** What was last made of events that end with this one. */
interface Made<Value> {
  readonly events: readonly WatchEvent[];
  readonly key: string;
  readonly value: Value;
}

function isSame(some: readonly WatchEvent[], others: readonly WatchEvent[]): boolean {
  return some === others || (some.length === others.length && some.every((each, i) => each === others[i]));
}

/** Keeps what `make` makes of these events, for the next one who is told the same. */
function once<Value>(
  memory: WeakMap<WatchEvent, Made<Value>>,
  events: readonly WatchEvent[],
  key: string,
  make: () => Value,
): Value {
  const last = events.at(-1);
  if (last === undefined) return make();
  const known = memory.get(last);
  if (known !== undefined && known.key === key && isSame(known.events, events)) return known.value;
  const value = make();
  memory.set(last, { events, key, value });
  return value;
}

const pieces = new Map<StreamForm, WeakMap<WatchEvent, Made<Piece>>>([
  [serverSent, new WeakMap()],
  [lines, new WeakMap()],
]);

/** `history`: what tells one `cursorAt` from another. */
export function streamPiece(
  form: StreamForm,
  events: readonly WatchEvent[],
  data: EventData,
  history: string,
  cursorAt: (event: WatchEvent) => string,
): Piece {
  const make = (): Piece => pieceOf(streamText(form, events, data, cursorAt));
  if (data !== undefined) return make();
  return once(pieces.get(form) as WeakMap<WatchEvent, Made<Piece>>, events, history, make);
}

const bodies = new WeakMap<WatchEvent, Made<string>>();

export function pollBody(events: readonly WatchEvent[], data: EventData, cursor: string, more: boolean): string {
  const make = (): string => {
    const texts = events.map((event, i) => `${eventText(event)}${data?.[i] ?? ""}}`);
    return `{"events":[${texts.join(",")}],"cursor":"${cursor}","more":${more}}`;
  };
  return data === undefined ? once(bodies, events, `${cursor} ${more}`, make) : make();
}

export function stateBody(
  states: readonly WatchState[],
  forced: Encoding | undefined,
  zxid: string,
  cursor: string,
): string {
  const texts = states.map((each) => `${stateText(each, forced)}}`);
  return `{"zxid":"${zxid}","cursor":"${cursor}","states":[${texts.join(",")}]}`;
}
