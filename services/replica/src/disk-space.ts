/** How much room the log's file system has: looked at no oftener than a limit says, answered at once from the last look. */
import type { JournalPorts } from "./journal.ts";

export class DiskSpace {
  readonly #ports: JournalPorts;
  #free: number;
  #seenMillis: number;
  #looking = false;

  constructor(ports: JournalPorts, free: number) {
    this.#ports = ports;
    this.#free = free;
    this.#seenMillis = ports.clock.now();
  }

  /** The last look. */
  get last(): number {
    return this.#free;
  }

  async measure(): Promise<number> {
    this.#seenMillis = this.#ports.clock.now();
    this.#free = await this.#ports.disk.freeBytes(this.#ports.folder);
    return this.#free;
  }

  /** Less than the reserve is free. */
  isLow(): boolean {
    const { clock, limits } = this.#ports;
    if (!this.#looking && clock.now() - this.#seenMillis >= limits.freeMillis) {
      this.#looking = true;
      // A look that fails changes nothing: a disk that does not answer shows in the log's writes.
      void this.measure()
        .catch(() => undefined)
        .finally(() => {
          this.#looking = false;
        });
    }
    return this.#free < limits.reserveBytes;
  }
}
