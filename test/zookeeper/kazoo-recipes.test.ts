/** kazoo's own tests of its recipes. See `kazoo.md`. */
import { kazooParts, kazooSuite } from "./kazoo-suite.ts";

kazooSuite("kazoo's recipes", [kazooParts.locks, kazooParts.recipes]);
