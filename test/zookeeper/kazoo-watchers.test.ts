/** kazoo's own tests of its watchers, and of its client with eventlet. See `kazoo.md`. */
import { kazooParts, kazooSuite } from "./kazoo-suite.ts";

kazooSuite("kazoo's watchers", [kazooParts.eventlet, kazooParts.watchers]);
