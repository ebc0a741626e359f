/** kazoo's own tests of connections that are lost, and of its client with gevent. See `kazoo.md`. */
import { kazooParts, kazooSuite } from "./kazoo-suite.ts";

kazooSuite("kazoo's connections and handlers", [kazooParts.connection, kazooParts.handlers]);
