// The catalog's migrations, oldest first. A released one is never changed: a new one follows it.

import type { MigrationInterface } from 'typeorm';
import { AuditByAction1795284000000 } from './1795284000000-audit-by-action.js';
import { Catalog1795255200000 } from './1795255200000-catalog.js';
import { PendingRetention1795275600000 } from './1795275600000-pending-retention.js';
import { Recorders1795268400000 } from './1795268400000-recorders.js';

export const migrations: readonly (new () => MigrationInterface)[] = [
  Catalog1795255200000,
  Recorders1795268400000,
  PendingRetention1795275600000,
  AuditByAction1795284000000,
];
