/**
 * Loaded into a replica's process before the program (`--import`): while a file `fail-sync` lies in its data folder every
 * fsync there, and every write that is one too (O_DSYNC), fails with EIO; while `hang-sync` lies there none of them ends.
 */
import * as fs from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import { join } from "node:path";

type Callback = (error: NodeJS.ErrnoException | null) => void;
type Sync = (descriptor: number, callback: Callback) => void;
type Writev = (descriptor: number, parts: Uint8Array[], offset: number, callback: Callback) => void;
type Open = (path: string, flags: number, ...rest: unknown[]) => void;

const at = process.argv.indexOf("--data");
const folder = process.argv[at + 1];
if (at >= 0 && folder !== undefined) {
  const builtin = createRequire(import.meta.url)("node:fs") as {
    fdatasync: Sync;
    fsync: Sync;
    writev: Writev;
    open: Open;
  };
  const exists = fs.existsSync;
  const ill = (name: string, callback: Callback, real: () => void): void => {
    if (exists(join(folder, "fail-sync"))) {
      const error: NodeJS.ErrnoException = new Error(`EIO: i/o error, ${name}`);
      error.code = "EIO";
      setImmediate(callback, error);
    } else if (exists(join(folder, "hang-sync"))) {
      const timer = setInterval(() => {
        if (exists(join(folder, "hang-sync"))) return;
        clearInterval(timer);
        real();
      }, 50);
    } else real();
  };
  for (const name of ["fdatasync", "fsync"] as const) {
    const real = builtin[name];
    builtin[name] = (descriptor, callback) => ill(name, callback, () => real(descriptor, callback));
  }
  const durable = new Set<number>();
  const { open, writev } = builtin;
  builtin.open = (path, flags, ...rest) => {
    const callback = rest.pop() as (error: Error | null, descriptor: number) => void;
    open(path, flags, ...rest, (error: Error | null, descriptor: number) => {
      if (!error && (flags & fs.constants.O_DSYNC) === fs.constants.O_DSYNC) durable.add(descriptor);
      else durable.delete(descriptor);
      callback(error, descriptor);
    });
  };
  builtin.writev = (descriptor, parts, offset, callback) => {
    const real = (): void => writev(descriptor, parts, offset, callback);
    if (durable.has(descriptor)) ill("writev", callback, real);
    else real();
  };
  syncBuiltinESMExports();
}
