/**
 * How a ConnectRequest is answered: by the handshake that opens or takes over a session; or, for a client that asks for that while
 * there is no leader, by a session that only reads and is this door's own. One that shows a session is not given that:
 * it might take for lost what the session still owns.
 */
import { noSession } from "@quorate/api";
import type { LaneListener } from "../backend.ts";
import type { Credentials } from "./credentials.ts";
import type { ZookeeperDoor } from "./door.ts";
import { Handshake, type HandshakeListener, passwordBytes, timeoutOf } from "./handshake.ts";
import type { ConnectRequest } from "./messages.ts";
import { drawSession, ReadOnlyBackend } from "./read-only.ts";

export class Opening {
  readonly #door: ZookeeperDoor;
  readonly #credentials: Credentials;
  readonly #request: ConnectRequest;
  readonly #lanes: Omit<LaneListener, "opened">;
  readonly #listener: HandshakeListener;
  #attempt: { close(): void } | undefined;
  #reads = false;
  #over = false;

  constructor(
    door: ZookeeperDoor,
    credentials: Credentials,
    request: ConnectRequest,
    lanes: Omit<LaneListener, "opened">,
    listener: HandshakeListener,
  ) {
    this.#door = door;
    this.#credentials = credentials;
    this.#request = request;
    this.#lanes = lanes;
    this.#listener = listener;
  }

  begin(): void {
    if (this.#mayRead()) return this.#read();
    const handshake = new Handshake(this.#door, this.#credentials, this.#request, this.#lanes, this.#listener);
    this.#attempt = handshake;
    handshake.begin();
  }

  /** Now and then: the leader may be lost for good meanwhile. */
  tick(): void {
    if (this.#over || this.#reads || !this.#mayRead()) return;
    this.#attempt?.close();
    this.#read();
  }

  /** Nothing is told any more. */
  close(): void {
    this.#over = true;
    this.#attempt?.close();
  }

  #mayRead(): boolean {
    return this.#request.readOnly === true && this.#door.look() === "readOnly";
  }

  #read(): void {
    this.#reads = true;
    const { options, limits } = this.#door;
    const { world } = options;
    const request = this.#request;
    if (request.session !== noSession) return this.#listener.failed("its session cannot be attached without a leader");
    const backend = new ReadOnlyBackend(options.backend, timeoutOf(request, limits), request.lastZxidSeen);
    const acting = { session: drawSession(world), secretHash: new Uint8Array(32) };
    const password = world.randomBytes(passwordBytes);
    const lane = backend.attach(acting, this.#credentials.identity, limits.handshakeMillis, {
      opened: (opening) => {
        this.#over = true;
        this.#listener.attached({ acting, lane, opening, password, backend, readOnly: true });
      },
      ended: ({ code, detail }) => this.#listener.failed(`there is nothing to read (${code}: ${detail})`),
      drained: () => undefined,
    });
    this.#attempt = lane;
  }
}
