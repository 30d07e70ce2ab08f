// Cameras are spread over recorders: who shares, and who may have footage of which camera.

import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Recorders1795268400000 implements MigrationInterface {
  readonly name = 'Recorders1795268400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE recorders (
        id text PRIMARY KEY,
        weight double precision NOT NULL,
        drained boolean NOT NULL,
        sharing boolean NOT NULL,
        created_at timestamptz(3) NOT NULL
      );

      CREATE TABLE camera_recorders (
        camera uuid NOT NULL,
        recorder text NOT NULL,
        since timestamptz(3) NOT NULL,
        PRIMARY KEY (camera, recorder)
      );

      INSERT INTO recorders (id, weight, drained, sharing, created_at)
        SELECT recorder, 1, false, true, min(created_at) FROM cameras
        WHERE recorder IS NOT NULL GROUP BY recorder;
      INSERT INTO camera_recorders (camera, recorder, since)
        SELECT id, recorder, created_at FROM cameras WHERE recorder IS NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE camera_recorders, recorders');
  }
}
