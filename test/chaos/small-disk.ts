/** A file system of its own, small, for one replica's data; where the right to mount one is missing there is none. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { open, statfs, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const megabytes = 160;
const pieceBytes = 2 * 1024 * 1024;

export class SmallDisk {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  static mount(): SmallDisk | undefined {
    const root = mkdtempSync(join(tmpdir(), "quorate-disk-"));
    const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", root]);
    if (status === 0) return new SmallDisk(root);
    rmSync(root, { recursive: true, force: true });
    return undefined;
  }

  get data(): string {
    return join(this.#root, "data");
  }

  /** Takes room until only `left` bytes are free. */
  async fill(left: number): Promise<void> {
    const ballast = await open(this.#ballast, "a");
    try {
      const piece = Buffer.alloc(pieceBytes);
      for (;;) {
        const { bavail, bsize } = await statfs(this.#root);
        const much = bavail * bsize - left;
        if (much <= 0) return;
        await ballast.write(piece, 0, Math.min(much, pieceBytes));
      }
    } finally {
      await ballast.close();
    }
  }

  async makeRoom(): Promise<void> {
    await truncate(this.#ballast, 0);
  }

  free(): void {
    spawnSync("umount", ["-l", this.#root]);
    rmSync(this.#root, { recursive: true, force: true });
  }

  get #ballast(): string {
    return join(this.#root, "ballast");
  }
}
