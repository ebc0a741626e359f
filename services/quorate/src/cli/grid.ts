/** Tables: on a terminal columns that fit its width, in a pipe lines of fields with tabs between and no heading. */
import { cut, padEnd, padStart, visible, widthOf } from "./width.ts";

export interface Column {
  readonly title: string;
  readonly right?: boolean;
  /** It gives way first when there is no room; the others only when that is not enough. */
  readonly gives?: boolean;
  /** On a terminal too narrow for all it is left out, the highest first. */
  readonly spare?: number;
}

const gap = "  ";
const leastWidth = 6;
/** To so much a column gives way before another is left out. */
const fairWidth = 16;

export interface GridStyle {
  readonly width: number;
  /** Of the heading. */
  heading(text: string): string;
}

/** Lines of a table for a terminal. */
export function gridLines(all: readonly Column[], rows: readonly (readonly string[])[], style: GridStyle): string[] {
  const allCells = rows.map((row) => all.map((_, at) => visible(row[at] ?? "")));
  const wished = all.map(({ title }, at) =>
    allCells.reduce((most, row) => Math.max(most, widthOf(row[at] ?? "")), widthOf(title)),
  );
  const shown = kept(all, wished, style.width);
  const columns = shown.map((at) => all[at] ?? { title: "" });
  const cells = allCells.map((row) => shown.map((at) => row[at] ?? ""));
  const widths = fit(
    columns,
    shown.map((at) => wished[at] ?? 0),
    style.width,
  );
  const line = (row: readonly string[]): string =>
    columns
      .map(({ right }, at) => {
        const width = widths[at] ?? 0;
        const text = cut(row[at] ?? "", width);
        if (right === true) return padStart(text, width);
        return at === columns.length - 1 ? text : padEnd(text, width);
      })
      .join(gap);
  return [style.heading(line(columns.map(({ title }) => title))), ...cells.map(line)];
}

/** The places of the columns that there is room for. */
function kept(columns: readonly Column[], wished: readonly number[], most: number): readonly number[] {
  let shown = columns.map((_, at) => at);
  const least = (at: number): number => Math.min(wished[at] ?? 0, columns[at]?.gives === true ? fairWidth : Infinity);
  const spareOf = (at: number): number => columns[at]?.spare ?? 0;
  for (;;) {
    const total = shown.reduce((sum, at) => sum + least(at), gap.length * (shown.length - 1));
    const next = shown.reduce((first, at) => (spareOf(at) > spareOf(first) ? at : first), shown[0] ?? 0);
    if (total <= most || spareOf(next) === 0) return shown;
    shown = shown.filter((at) => at !== next);
  }
}

/** Takes from the widest that gives way until it fits, then from the widest of all. */
function fit(columns: readonly Column[], wished: readonly number[], most: number): number[] {
  const widths = [...wished];
  const total = (): number => widths.reduce((sum, each) => sum + each, 0) + gap.length * (widths.length - 1);
  for (const gives of [true, false]) {
    while (total() > most) {
      let widest = -1;
      for (const [at, width] of widths.entries()) {
        if (width <= leastWidth || (gives && columns[at]?.gives !== true)) continue;
        if (widest < 0 || width > (widths[widest] ?? 0)) widest = at;
      }
      if (widest < 0) break;
      widths[widest] = (widths[widest] ?? 0) - 1;
    }
  }
  return widths;
}

/** A row for a pipe. Tabs and line ends within a field are escapes. */
export function pipeLine(row: readonly string[]): string {
  return row.map((cell) => cell.replace(/[\\\t\n\r]/g, escaped)).join("\t");
}

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };

function escaped(character: string): string {
  return escapes[character] ?? character;
}

/** Names beside each other, downwards first, as many columns as fit. */
export function nameColumns(names: readonly string[], width: number): string[] {
  const shown = names.map((each) => visible(each));
  const widths = shown.map(widthOf);
  for (let rows = 1; rows < shown.length; rows++) {
    const columns = Math.ceil(shown.length / rows);
    const columnWidths = Array.from({ length: columns }, (_, at) =>
      Math.max(...widths.slice(at * rows, (at + 1) * rows)),
    );
    const total = columnWidths.reduce((sum, each) => sum + each, 0) + gap.length * (columns - 1);
    if (total > width) continue;
    return Array.from({ length: rows }, (_, row) =>
      columnWidths
        .map((columnWidth, at) => padEnd(shown[at * rows + row] ?? "", columnWidth))
        .join(gap)
        .trimEnd(),
    );
  }
  return shown;
}
