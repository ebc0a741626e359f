/** The part of Express that the REST door uses; Express brings no types of its own. */
declare module "express" {
  import type { IncomingMessage, ServerResponse } from "node:http";

  type Handler = (request: IncomingMessage, response: ServerResponse) => void;
  type FaultHandler = (fault: unknown, request: IncomingMessage, response: ServerResponse, next: () => void) => void;
  interface Application {
    (request: IncomingMessage, response: ServerResponse): void;
    disable(setting: string): void;
    set(setting: string, value: unknown): void;
    all(path: RegExp, handler: Handler): void;
    use(handler: Handler | FaultHandler): void;
  }
  export default function express(): Application;
}
