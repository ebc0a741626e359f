/** `/docs` and `/docs/errors`: made once, when somebody first asks. */
import { refuseBody } from "../body.ts";
import type { Call } from "../call.ts";
import { byGateway, send } from "../reply.ts";
import { errorsPage } from "./errors-page.ts";
import { policy } from "./html.ts";
import { referencePage } from "./reference.ts";

const headers: readonly string[] = [
  "Content-Type",
  "text/html; charset=utf-8",
  "Content-Security-Policy",
  policy,
  "X-Content-Type-Options",
  "nosniff",
  "Referrer-Policy",
  "no-referrer",
];

const made = new Map<() => string, Buffer>();

function sendPage(call: Call, make: () => string): void {
  refuseBody(call);
  const bytes = made.get(make) ?? Buffer.from(make());
  made.set(make, bytes);
  send(call, 200, byGateway, bytes, headers);
}

export function getDocs(call: Call): void {
  sendPage(call, referencePage);
}

export function getErrorDocs(call: Call): void {
  sendPage(call, errorsPage);
}
