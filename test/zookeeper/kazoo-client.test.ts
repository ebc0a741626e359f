/** kazoo's own tests of its client: calls, sessions, connections that are lost. See `kazoo.md`. */
import { kazooParts, kazooSuite } from "./kazoo-suite.ts";

kazooSuite("kazoo's client", [kazooParts.client, kazooParts.connection]);
