// Deletions of footage are listed by themselves, and are few among many entries or many among few.

import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AuditByAction1795284000000 implements MigrationInterface {
  readonly name = 'AuditByAction1795284000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX audit_by_action ON audit (action, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX audit_by_action');
  }
}
