/** kazoo's own tests of its client: calls, transactions, authentication. See `kazoo.md`. */
import { kazooParts, kazooSuite } from "./kazoo-suite.ts";

kazooSuite("kazoo's client", [kazooParts.client, kazooParts.restOfClient]);
