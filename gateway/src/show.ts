/** A value as it is shown in a fault: quoted, and not longer than a line. */
export function show(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
