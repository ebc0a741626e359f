/** Tables: on a terminal columns that fit its width, in a pipe lines of fields with tabs between and no heading. */
import { cut, padEnd, padStart, visible, widthOf } from "./width.ts";

export interface Column {
  readonly title: string;
  readonly right?: boolean;
  /** It gives way first when there is no room; the others only when that is not enough. */
  readonly gives?: boolean;
}

const gap = "  ";
const leastWidth = 6;

export interface GridStyle {
  readonly width: number;
  /** Of the heading. */
  heading(text: string): string;
}

/** Lines of a table for a terminal. */
export function gridLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: GridStyle,
): string[] {
  const cells = rows.map((row) => columns.map((_, at) => visible(row[at] ?? "")));
  const widths = fit(
    columns,
    columns.map(({ title }, at) => Math.max(widthOf(title), ...cells.map((row) => widthOf(row[at] ?? "")))),
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
