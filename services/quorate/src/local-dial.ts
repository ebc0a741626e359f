/** The embedded gateway's way to its own replica: the same messages, without a socket. */
import type { Dial } from "@quorate/gateway";
import { decodeFromGateway, decodeToGateway, type FromGateway, type ToGateway } from "@quorate/proto";
import type { AttachPoint, GatewayConnection } from "@quorate/replica";

/** Dials `replica` directly at its own address, everybody else by `remote`. */
export function createLocalDial(own: string, name: string, replica: AttachPoint, remote: Dial): Dial {
  return (address, events) => {
    if (address !== own) return remote(address, events);
    let closed = false;
    let toReplica: FromGateway[] = [];
    let toGateway: ToGateway[] = [];
    const end = (why: string): void => {
      if (closed) return;
      closed = true;
      attachment.closed(why);
      setImmediate(() => events.down(why));
    };
    const connection: GatewayConnection = {
      name,
      queuedBytes: 0,
      send(bytes) {
        const message = decodeToGateway(bytes);
        if (message) toGateway.push(message);
        else end("a message from the replica does not decode");
      },
      flush() {
        if (toGateway.length === 0 || closed) return;
        const messages = toGateway;
        toGateway = [];
        setImmediate(() => {
          if (!closed) events.received(messages);
        });
      },
      close: end,
    };
    const attachment = replica.attach(connection);
    setImmediate(() => {
      if (!closed) events.up();
    });
    return {
      queuedBytes: 0,
      send(bytes) {
        const message = decodeFromGateway(bytes);
        if (message) toReplica.push(message);
        else end("a message from the gateway does not decode");
      },
      flush() {
        if (toReplica.length === 0 || closed) return;
        const messages = toReplica;
        toReplica = [];
        attachment.received(messages);
      },
      close: () => end("closed by the gateway"),
    };
  };
}
