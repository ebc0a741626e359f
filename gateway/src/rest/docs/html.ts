/** Pages of the reference: text made safe for HTML, the little of Markdown that the specification uses, the frame. */
import { createHash } from "node:crypto";
import { style } from "./style.ts";

export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

export function code(text: string): string {
  return `<code>${escapeHtml(text)}</code>`;
}

/** Of one paragraph: `code` and **bold**. */
export function inline(text: string): string {
  return escapeHtml(text.trim())
    .replaceAll(/`([^`]+)`/g, "<code>$1</code>")
    .replaceAll(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>");
}

/** Paragraphs, with empty lines between them. */
export function prose(text: string | undefined): string {
  if (text === undefined) return "";
  const paragraphs = text.trim().split(/\n\s*\n/);
  return paragraphs.map((each) => `<p>${inline(each)}</p>`).join("\n");
}

export function json(value: unknown): string {
  return `<pre>${escapeHtml(typeof value === "string" ? value : JSON.stringify(value, null, 2))}</pre>`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const cells = (row: readonly string[]): string => row.map((each) => `<td>${each}</td>`).join("");
  const titles = head.map((each) => `<th scope="col">${each}</th>`).join("");
  const body = rows.map((row) => `<tr>${cells(row)}</tr>`).join("\n");
  return `<div class="scroll"><table><thead><tr>${titles}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
}

const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cg fill='%232563eb'%3E" +
  "%3Ccircle cx='8' cy='3.5' r='2.5'/%3E%3Ccircle cx='3.5' cy='12' r='2.5'/%3E%3Ccircle cx='12.5' cy='12' r='2.5'/%3E%3C/g%3E%3C/svg%3E";

export function page(title: string, navigation: string, main: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="${icon}">
<style>${style}</style>
</head>
<body>
<a class="skip" href="#main">To the content</a>
<nav aria-label="Contents">
${navigation}
</nav>
<main id="main">
${main}
</main>
</body>
</html>
`;
}

/** Nothing from outside, no script at all; the one style by its hash. */
export const policy: string = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
