// A retention that would delete footage sooner waits with its camera until it holds.

import type { MigrationInterface, QueryRunner } from 'typeorm';

export class PendingRetention1795275600000 implements MigrationInterface {
  readonly name = 'PendingRetention1795275600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE cameras ADD COLUMN pending_retention jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE cameras DROP COLUMN pending_retention');
  }
}
