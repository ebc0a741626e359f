/** How wide a text is on a terminal, and a text cut to a width: wide characters count two, what joins counts nothing. */
import stringWidth from "string-width";

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

export function widthOf(text: string): number {
  return stringWidth(text);
}

/** At most so wide; what is cut off is a `…`. */
export function cut(text: string, most: number): string {
  if (stringWidth(text) <= most) return text;
  if (most < 1) return "";
  let kept = "";
  let width = 1;
  for (const { segment } of segmenter.segment(text)) {
    width += stringWidth(segment);
    if (width > most) break;
    kept += segment;
  }
  return `${kept}…`;
}

export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - stringWidth(text)));
}

export function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - stringWidth(text))) + text;
}

/** Control characters, and those that turn the writing's direction, as escapes: a znode's name or data must not steer a terminal. */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\t") return "\\t";
    if (character === "\r") return "\\r";
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
