/**
 * No encryption, and no connection behind the back of whoever has closed the channel. grpc-js's back-off may begin one
 * more attempt a second after the channel of a failed one was closed; if the other side listens again by then, that
 * connection stands unused until it is thrown out there. Here an attempt ends once its channel has let go of it.
 */
import { CallCredentials, ChannelCredentials, type experimental } from "@grpc/grpc-js";

type SecureConnector = experimental.SecureConnector;

export class PlainCredentials extends ChannelCredentials {
  _isSecure(): boolean {
    return false;
  }

  _equals(other: ChannelCredentials): boolean {
    return other instanceof PlainCredentials;
  }

  _createSecureConnector(_target: unknown, _options: unknown, callCredentials?: CallCredentials): SecureConnector {
    const credentials = callCredentials ?? CallCredentials.createEmpty();
    let abandoned = false;
    const standing = (): void => {
      if (abandoned) throw new Error("the channel of this connection is closed");
    };
    return {
      waitForReady: async () => standing(),
      connect: async (socket) => {
        standing();
        return { socket, secure: false };
      },
      getCallCredentials: () => credentials,
      destroy: () => {
        abandoned = true;
      },
    };
  }
}
