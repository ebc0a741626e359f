/** What storage refuses or fails with: names the file and the reason. */
import { DiskError } from "./world.ts";

export class StorageError extends Error {
  override readonly name: string = "StorageError";
  readonly file: string;
  readonly reason: string;

  constructor(file: string, reason: string, cause?: unknown) {
    super(`${file}: ${reason}`, cause === undefined ? undefined : { cause });
    this.file = file;
    this.reason = reason;
  }
}

/** Bytes on disk that are not what was written: the folder has to be set aside. */
export class CorruptionError extends StorageError {
  override readonly name: string = "CorruptionError";
}

/** A disk's failure as a StorageError that names file, operation and code; anything else as it is. */
export function asStorageError(error: unknown): Error {
  if (error instanceof DiskError)
    return new StorageError(error.path, `${error.operation} failed: ${error.code}`, error);
  return error instanceof Error ? error : new Error(String(error));
}
