/**
 * Loaded into a replica's process before the program (`--import`): while a file `fail-sync` lies in its data folder every
 * fsync there fails with EIO, and while `hang-sync` lies there none of them ends.
 */
import * as fs from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import { join } from "node:path";

type Callback = (error: NodeJS.ErrnoException | null) => void;
type Sync = (descriptor: number, callback: Callback) => void;

const at = process.argv.indexOf("--data");
const folder = process.argv[at + 1];
if (at >= 0 && folder !== undefined) {
  const builtin = createRequire(import.meta.url)("node:fs") as { fdatasync: Sync; fsync: Sync };
  const exists = fs.existsSync;
  for (const name of ["fdatasync", "fsync"] as const) {
    const real = builtin[name];
    builtin[name] = (descriptor, callback) => {
      if (exists(join(folder, "fail-sync"))) {
        const error: NodeJS.ErrnoException = new Error(`EIO: i/o error, ${name}`);
        error.code = "EIO";
        setImmediate(callback, error);
      } else if (exists(join(folder, "hang-sync"))) {
        const timer = setInterval(() => {
          if (exists(join(folder, "hang-sync"))) return;
          clearInterval(timer);
          real(descriptor, callback);
        }, 50);
      } else real(descriptor, callback);
    };
  }
  syncBuiltinESMExports();
}
