// The tables of the catalog, as TypeORM sees them; the migrations are held against this by a test.

import { EntitySchema } from 'typeorm';
import type {
  Location,
  MotionSettings,
  PendingRetention,
  Recording,
  Retention,
  Role,
} from '#contract';

/** Absence is `null` here and only here: repositories hand out values without it. */
export interface CameraRow {
  id: string;
  name: string;
  /** Fit to be shown: without user, password and secrets in the query. */
  mainUrl: string;
  subUrl: string | null;
  onvifUrl: string | null;
  onvifUsername: string | null;
  /** Sealed JSON: whole stream URLs and the ONVIF password. */
  sealedSecrets: string;
  transport: 'tcp' | 'udp' | 'http';
  recording: Recording;
  retention: Retention;
  /** Waits until it may hold. */
  pendingRetention: PendingRetention | null;
  /** `source` is younger than the table. */
  motion: Omit<MotionSettings, 'source'> & Partial<Pick<MotionSettings, 'source'>>;
  location: Location | null;
  /** The recorder that is to record it; null until there is one. */
  recorder: string | null;
  createdAt: Date;
  updatedAt: Date;
  /** Set: the camera is gone, its footage is kept until it expires. */
  removedAt: Date | null;
}

/** A recorder that announced itself at least once. */
export interface RecorderRow {
  id: string;
  /** Its share of the cameras against the others; 0 keeps footage only. */
  weight: number;
  /** An administrator took its cameras away, for maintenance say. */
  drained: boolean;
  /** Whether cameras are given to it: what a server knows of its recorders when it starts. */
  sharing: boolean;
  createdAt: Date;
}

/** Who may have footage of a camera: every recorder that it was ever given to. */
export interface KeeperRow {
  camera: string;
  recorder: string;
  since: Date;
}

export interface UserRow {
  id: string;
  username: string;
  /** The name as it is compared: sign-in does not tell upper from lower case. */
  usernameKey: string;
  role: Role;
  passwordHash: string;
  disabled: boolean;
  createdAt: Date;
  lastLoginAt: Date | null;
}

export interface SessionRow {
  id: string;
  /** SHA-256 of the token, which itself is stored nowhere. */
  tokenHash: Buffer;
  userId: string;
  address: string | null;
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
}

export interface HoldRow {
  id: string;
  cameras: string[];
  fromAt: Date;
  toAt: Date;
  reason: string;
  createdBy: string;
  createdAt: Date;
  confirmedAt: Date | null;
}

export interface ExportRow {
  id: string;
  cameras: string[];
  fromAt: Date;
  toAt: Date;
  rendition: string;
  watermark: string | null;
  note: string;
  createdBy: string;
  createdAt: Date;
  /** What outlives the queue's memory of the job; null while the job runs. */
  outcome: {
    state: 'done' | 'failed' | 'cancelled';
    sizeBytes?: number;
    error?: string;
    transcoder?: string;
  } | null;
}

export interface AuditRow {
  id: string;
  at: Date;
  actor: string;
  address: string | null;
  action: string;
  subject: string | null;
  outcome: 'ok' | 'denied' | 'failed';
  detail: Record<string, unknown>;
  /** Names the fact that the entry records, so that it is recorded once. */
  factKey: string | null;
}

export interface EventRow {
  id: string;
  at: Date;
  kind: string;
  camera: string | null;
  message: string;
}

export interface SettingRow {
  key: string;
  value: unknown;
}

const text = { type: 'text' } as const;
const textOrNull = { type: 'text', nullable: true } as const;
const time = { type: 'timestamp with time zone', precision: 3 } as const;
const timeOrNull = { ...time, nullable: true } as const;
const json = { type: 'jsonb' } as const;

/** Named as PostgreSQL would, so that migrations need not say it. */
function primary<T extends 'uuid' | 'text'>(type: T, tableName: string) {
  return { type, primary: true, primaryKeyConstraintName: `${tableName}_pkey` } as const;
}

export const cameraEntity = new EntitySchema<CameraRow>({
  name: 'Camera',
  tableName: 'cameras',
  columns: {
    id: primary('uuid', 'cameras'),
    name: text,
    mainUrl: { ...text, name: 'main_url' },
    subUrl: { ...textOrNull, name: 'sub_url' },
    onvifUrl: { ...textOrNull, name: 'onvif_url' },
    onvifUsername: { ...textOrNull, name: 'onvif_username' },
    sealedSecrets: { ...text, name: 'sealed_secrets' },
    transport: text,
    recording: json,
    retention: json,
    pendingRetention: { ...json, name: 'pending_retention', nullable: true },
    motion: json,
    location: { ...json, nullable: true },
    recorder: textOrNull,
    createdAt: { ...time, name: 'created_at' },
    updatedAt: { ...time, name: 'updated_at' },
    removedAt: { ...timeOrNull, name: 'removed_at' },
  },
});

export const recorderEntity = new EntitySchema<RecorderRow>({
  name: 'Recorder',
  tableName: 'recorders',
  columns: {
    id: primary('text', 'recorders'),
    weight: { type: 'double precision' },
    drained: { type: 'boolean' },
    sharing: { type: 'boolean' },
    createdAt: { ...time, name: 'created_at' },
  },
});

export const keeperEntity = new EntitySchema<KeeperRow>({
  name: 'Keeper',
  tableName: 'camera_recorders',
  columns: {
    camera: primary('uuid', 'camera_recorders'),
    recorder: primary('text', 'camera_recorders'),
    since: time,
  },
});

export const userEntity = new EntitySchema<UserRow>({
  name: 'User',
  tableName: 'users',
  columns: {
    id: primary('uuid', 'users'),
    username: text,
    usernameKey: { ...text, name: 'username_key' },
    role: text,
    passwordHash: { ...text, name: 'password_hash' },
    disabled: { type: 'boolean' },
    createdAt: { ...time, name: 'created_at' },
    lastLoginAt: { ...timeOrNull, name: 'last_login_at' },
  },
  indices: [{ name: 'users_by_username_key', columns: ['usernameKey'], unique: true }],
});

export const sessionEntity = new EntitySchema<SessionRow>({
  name: 'Session',
  tableName: 'sessions',
  columns: {
    id: primary('uuid', 'sessions'),
    tokenHash: { type: 'bytea', name: 'token_hash' },
    userId: { type: 'uuid', name: 'user_id' },
    address: textOrNull,
    createdAt: { ...time, name: 'created_at' },
    lastSeenAt: { ...time, name: 'last_seen_at' },
    expiresAt: { ...time, name: 'expires_at' },
  },
  indices: [
    { name: 'sessions_by_token_hash', columns: ['tokenHash'], unique: true },
    { name: 'sessions_by_user', columns: ['userId'] },
    { name: 'sessions_by_expiry', columns: ['expiresAt'] },
  ],
  foreignKeys: [
    {
      name: 'sessions_user',
      target: 'User',
      columnNames: ['userId'],
      referencedColumnNames: ['id'],
      onDelete: 'CASCADE',
    },
  ],
});

export const holdEntity = new EntitySchema<HoldRow>({
  name: 'Hold',
  tableName: 'holds',
  columns: {
    id: primary('uuid', 'holds'),
    cameras: { type: 'uuid', array: true },
    fromAt: { ...time, name: 'from_at' },
    toAt: { ...time, name: 'to_at' },
    reason: text,
    createdBy: { ...text, name: 'created_by' },
    createdAt: { ...time, name: 'created_at' },
    confirmedAt: { ...timeOrNull, name: 'confirmed_at' },
  },
});

export const exportEntity = new EntitySchema<ExportRow>({
  name: 'Export',
  tableName: 'exports',
  columns: {
    id: primary('uuid', 'exports'),
    cameras: { type: 'uuid', array: true },
    fromAt: { ...time, name: 'from_at' },
    toAt: { ...time, name: 'to_at' },
    rendition: text,
    watermark: textOrNull,
    note: text,
    createdBy: { ...text, name: 'created_by' },
    createdAt: { ...time, name: 'created_at' },
    outcome: { ...json, nullable: true },
  },
});

export const auditEntity = new EntitySchema<AuditRow>({
  name: 'Audit',
  tableName: 'audit',
  columns: {
    id: primary('uuid', 'audit'),
    at: time,
    actor: text,
    address: textOrNull,
    action: text,
    subject: textOrNull,
    outcome: text,
    detail: json,
    factKey: { ...textOrNull, name: 'fact_key' },
  },
  indices: [
    { name: 'audit_by_fact_key', columns: ['factKey'], unique: true },
    { name: 'audit_by_action', columns: ['action', 'id'] },
  ],
});

export const eventEntity = new EntitySchema<EventRow>({
  name: 'Event',
  tableName: 'events',
  columns: {
    id: primary('uuid', 'events'),
    at: time,
    kind: text,
    camera: { type: 'uuid', nullable: true },
    message: text,
  },
  indices: [{ name: 'events_by_time', columns: ['at'] }],
});

export const settingEntity = new EntitySchema<SettingRow>({
  name: 'Setting',
  tableName: 'settings',
  columns: { key: primary('text', 'settings'), value: json },
});

export const ENTITIES = [
  cameraEntity,
  recorderEntity,
  keeperEntity,
  userEntity,
  sessionEntity,
  holdEntity,
  exportEntity,
  auditEntity,
  eventEntity,
  settingEntity,
];
