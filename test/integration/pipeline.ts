/**
 * Many like requests down one connection, up to `window` of them unanswered: the cheapest load there is. Answers come in the
 * order of the requests; only their statuses are kept.
 */
import { connect, type Socket } from "node:net";

export interface PipelineOptions {
  readonly port: number;
  readonly window: number;
  /** The whole text of the next request; undefined: there is none. */
  readonly next: () => string | undefined;
  readonly answered: (status: number) => void;
}

/** Resolves when all is answered. */
export function pipeline(options: PipelineOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(options.port, "127.0.0.1");
    let unanswered = 0;
    let over = false;
    const fill = (): void => {
      let text = "";
      while (!over && unanswered < options.window) {
        const request = options.next();
        if (request === undefined) over = true;
        else {
          text += request;
          unanswered += 1;
        }
      }
      if (text !== "") socket.write(text);
      if (over && unanswered === 0) socket.end();
    };
    const fail = (): void => reject(new Error(`the connection ended with ${unanswered} requests unanswered`));
    socket.on("connect", fill);
    socket.on("error", reject);
    socket.on("close", () => (over && unanswered === 0 ? resolve() : fail()));
    readAnswers(
      socket,
      (status) => {
        unanswered -= 1;
        options.answered(status);
      },
      fill,
    );
  });
}

/** `idle`: all that has come so far is read. */
function readAnswers(socket: Socket, answered: (status: number) => void, idle: () => void): void {
  let text = "";
  // One character a byte, so that lengths are in bytes.
  socket.setEncoding("latin1").on("data", (part: string) => {
    text += part;
    let at = 0;
    for (;;) {
      const end = text.indexOf("\r\n\r\n", at);
      if (end < 0) break;
      const head = text.slice(at, end);
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
      if (Number.isNaN(length)) {
        socket.destroy(new Error(`an answer without its length: ${head}`));
        return;
      }
      if (text.length < end + 4 + length) break;
      answered(Number(head.slice(9, 12)));
      at = end + 4 + length;
    }
    text = text.slice(at);
    idle();
  });
}
