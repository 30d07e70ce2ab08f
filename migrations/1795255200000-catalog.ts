// The first tables of the catalog.

import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Catalog1795255200000 implements MigrationInterface {
  readonly name = 'Catalog1795255200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE cameras (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        main_url text NOT NULL,
        sub_url text,
        onvif_url text,
        onvif_username text,
        sealed_secrets text NOT NULL,
        transport text NOT NULL,
        recording jsonb NOT NULL,
        retention jsonb NOT NULL,
        motion jsonb NOT NULL,
        location jsonb,
        recorder text,
        created_at timestamptz(3) NOT NULL,
        updated_at timestamptz(3) NOT NULL,
        removed_at timestamptz(3)
      );

      CREATE TABLE users (
        id uuid PRIMARY KEY,
        username text NOT NULL,
        username_key text NOT NULL,
        role text NOT NULL,
        password_hash text NOT NULL,
        disabled boolean NOT NULL,
        created_at timestamptz(3) NOT NULL,
        last_login_at timestamptz(3)
      );
      CREATE UNIQUE INDEX users_by_username_key ON users (username_key);

      CREATE TABLE sessions (
        id uuid PRIMARY KEY,
        token_hash bytea NOT NULL,
        user_id uuid NOT NULL,
        address text,
        created_at timestamptz(3) NOT NULL,
        last_seen_at timestamptz(3) NOT NULL,
        expires_at timestamptz(3) NOT NULL,
        CONSTRAINT sessions_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      );
      CREATE UNIQUE INDEX sessions_by_token_hash ON sessions (token_hash);
      CREATE INDEX sessions_by_user ON sessions (user_id);
      CREATE INDEX sessions_by_expiry ON sessions (expires_at);

      CREATE TABLE holds (
        id uuid PRIMARY KEY,
        cameras uuid[] NOT NULL,
        from_at timestamptz(3) NOT NULL,
        to_at timestamptz(3) NOT NULL,
        reason text NOT NULL,
        created_by text NOT NULL,
        created_at timestamptz(3) NOT NULL,
        confirmed_at timestamptz(3)
      );

      CREATE TABLE exports (
        id uuid PRIMARY KEY,
        cameras uuid[] NOT NULL,
        from_at timestamptz(3) NOT NULL,
        to_at timestamptz(3) NOT NULL,
        rendition text NOT NULL,
        watermark text,
        note text NOT NULL,
        created_by text NOT NULL,
        created_at timestamptz(3) NOT NULL,
        outcome jsonb
      );

      CREATE TABLE audit (
        id uuid PRIMARY KEY,
        at timestamptz(3) NOT NULL,
        actor text NOT NULL,
        address text,
        action text NOT NULL,
        subject text,
        outcome text NOT NULL,
        detail jsonb NOT NULL,
        fact_key text
      );
      CREATE UNIQUE INDEX audit_by_fact_key ON audit (fact_key);

      CREATE TABLE events (
        id uuid PRIMARY KEY,
        at timestamptz(3) NOT NULL,
        kind text NOT NULL,
        camera uuid,
        message text NOT NULL
      );
      CREATE INDEX events_by_time ON events (at);

      CREATE TABLE settings (
        key text PRIMARY KEY,
        value jsonb NOT NULL
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE settings, events, audit, exports, holds, sessions, users, cameras',
    );
  }
}
