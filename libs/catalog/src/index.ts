// What people declared: cameras, users and their sessions, holds, exports, the audit trail and
// events, in PostgreSQL. The catalog owns its tables and their migrations, seals camera credentials
// before they reach a row, and hands out the shapes of the contract. It never speaks to a camera, a
// recorder or a browser, and recording does not wait for it.

export { Catalog, type CatalogOptions } from './catalog.js';
export type { AuditInput } from './audit-trail.js';
export type { ConfigurationPage, RestoredConfiguration } from './configuration.js';
export type { OnvifAccess } from './cameras.js';
export type { EventInput } from './events.js';
export type { ExportOutcome, StoredExport } from './exports.js';
export type { Page, PageQuery } from './page.js';
export type { StoredRecorder } from './recorders.js';
export type { Session } from './sessions.js';
export { mergedRetention } from './cameras.js';
