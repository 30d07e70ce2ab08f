// A real file system of its own for a test (ext4 in a file), which can break as disks do.

import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { join } from 'node:path';

const SIZE_BYTES = 1_500_000_000;

const run = (command: string, ...args: string[]) => {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return { ok: status === 0, stdout: stdout ?? '' };
};

export class LoopDisk {
  readonly mountPoint: string;
  readonly #image: string;

  private constructor(parent: string, name: string) {
    this.mountPoint = join(parent, name);
    this.#image = join(parent, `${name}.ext4`);
  }

  /** Undefined where this machine or user cannot mount. */
  static make(parent: string, name: string): LoopDisk | undefined {
    if (process.getuid?.() !== 0) return undefined;
    const disk = new LoopDisk(parent, name);
    mkdirSync(disk.mountPoint);
    closeSync(openSync(disk.#image, 'w'));
    truncateSync(disk.#image, SIZE_BYTES);
    if (!run('mkfs.ext4', '-q', '-E', 'nodiscard', disk.#image).ok) return undefined;
    return disk.mount() ? disk : undefined;
  }

  mount(): boolean {
    return run('mount', '-o', 'loop,noatime,errors=remount-ro', this.#image, this.mountPoint).ok;
  }

  /** False while somebody has a file open there. */
  unmount(): boolean {
    return run('umount', this.mountPoint).ok;
  }

  /** What its next mount would complain about. */
  repair(): void {
    run('e2fsck', '-p', '-f', this.#image);
  }

  /** The kernel meets an error and makes it read-only, while files are open and written to. */
  breakReadOnly(): boolean {
    const device = run('findmnt', '-no', 'SOURCE', this.mountPoint).stdout.trim();
    try {
      writeFileSync(`/sys/fs/ext4/${device.split('/').at(-1)}/trigger_fs_error`, '1');
      return true;
    } catch {
      return false;
    }
  }

  /** Writes hang until `thaw`. */
  freeze(): boolean {
    return run('fsfreeze', '-f', this.mountPoint).ok;
  }

  thaw(): boolean {
    return run('fsfreeze', '-u', this.mountPoint).ok;
  }

  /** Footage of a camera, or all. */
  bytes(camera = ''): number {
    return readdirSync(this.mountPoint, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.startsWith(camera) && path.endsWith('.h264'))
      .reduce((sum, path) => sum + statSync(join(this.mountPoint, path)).size, 0);
  }
}
