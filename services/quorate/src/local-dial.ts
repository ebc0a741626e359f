/**
 * The embedded gateway's way to its own replica: the same messages, without a socket. Session reads need not even that: between
 * the replica's turns, and when all it has said has been received, the tree may be looked at from here.
 */
import { newestForms } from "@quorate/api";
import type { Dial } from "@quorate/gateway";
import { decodeToGateway, type FromGateway, type ToGateway } from "@quorate/proto";
import type { AttachPoint, GatewayConnection } from "@quorate/replica";

/** Runs it outside of the present call: neither side is called back while it calls the other. */
type Soon = (run: () => void) => void;

/** What an outcome without data takes about. */
const plainBytes = 256;

/** What the replica has said, and the gateway has not received. No message is without bytes. */
class Said {
  bytes = 0;
  #messages: ToGateway[] = [];

  add(message: ToGateway, bytes: number): void {
    this.#messages.push(message);
    this.bytes += bytes;
  }

  take(): readonly ToGateway[] {
    const messages = this.#messages;
    this.#messages = [];
    this.bytes = 0;
    return messages;
  }
}

/** What goes to the replica, until it is taken. */
class Sent implements Iterable<FromGateway> {
  #messages: FromGateway[] = [];

  /** Answers how many there are. */
  add(message: FromGateway): number {
    return this.#messages.push(message);
  }

  /** Takes all. */
  [Symbol.iterator](): Iterator<FromGateway> {
    const messages = this.#messages;
    this.#messages = [];
    return messages[Symbol.iterator]();
  }
}

/** Dials `replica` directly at its own address, everybody else by `remote`. */
export function createLocalDial(own: string, name: string, replica: AttachPoint, remote: Dial, soon: Soon): Dial {
  return (address, events) => {
    if (address !== own) return remote(address, events);
    let closed = false;
    const sent = new Sent();
    const said = new Said();
    let delivering = false;
    const end = (why: string): void => {
      if (closed) return;
      closed = true;
      attachment.closed(why);
      soon(() => events.down(why));
    };
    const connection: GatewayConnection = {
      name,
      rules: newestForms,
      get queuedBytes() {
        return said.bytes;
      },
      send(bytes) {
        const message = decodeToGateway(bytes);
        if (message) said.add(message, bytes.length);
        else end("a message from the replica does not decode");
      },
      tell: (message) => said.add(message, plainBytes),
      flush() {
        if (said.bytes === 0 || closed || delivering) return;
        delivering = true;
        soon(() => deliver(said.take()));
      },
      close: end,
    };
    const deliver = (messages: readonly ToGateway[]): void => {
      try {
        if (!closed) events.received(messages);
      } finally {
        delivering = false;
        // What the replica has said meanwhile.
        connection.flush();
      }
    };
    const attachment = replica.attach(connection);
    soon(() => closed || events.up());
    return {
      queuedBytes: 0,
      // The replica's loop has its turn with the first, and takes what has come until then.
      send(message) {
        if (!closed && sent.add(message) === 1) attachment.received(sent);
      },
      flush: () => undefined,
      readNow: (read) => (delivering || said.bytes > 0 || closed ? undefined : attachment.readNow(read)),
      close: () => end("closed by the gateway"),
    };
  };
}
