/** kazoo's own tests of its watchers and recipes. See `kazoo.md`. */
import { kazooParts, kazooSuite } from "./kazoo-suite.ts";

kazooSuite("kazoo's recipes", [kazooParts.watchers, kazooParts.recipes]);
