// Every call that the console makes, typed by the contract's schemas.

import { z } from 'zod';
import {
  auditEntrySchema,
  cameraSchema,
  cameraStatusSchema,
  discoveredCameraSchema,
  eventSchema,
  exportSchema,
  healthSchema,
  holdSchema,
  loginAnswerSchema,
  meSchema,
  motionAnswerSchema,
  onvifDeviceSchema,
  probeResultSchema,
  ptzPresetSchema,
  recordedDeletionSchema,
  setupStateSchema,
  storageSchema,
  timelineSchema,
  userSchema,
  type LoginInput,
  type UserInput,
  type UserPatch,
} from '#contract';
import { request } from './client.js';

const listOf = <S extends z.ZodType>(item: S) =>
  z.object({ items: z.array(item), cursor: z.string().optional() });
const iso = (unixMs: number): string => new Date(unixMs).toISOString();

export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a form hands over; the server validates it with the contract's input schemas. */
export type Body = Readonly<Record<string, unknown>>;

export const calls = {
  setupState: () => request('GET', '/api/setup', { answer: setupStateSchema }),
  setUp: (token: string, password: string) =>
    request('POST', '/api/setup', { body: { token, password }, answer: loginAnswerSchema }),
  login: (body: LoginInput) =>
    request('POST', '/api/auth/login', { body, answer: loginAnswerSchema }),
  logout: () => request('POST', '/api/auth/logout'),
  me: () => request('GET', '/api/auth/me', { answer: meSchema }),

  cameras: () => request('GET', '/api/cameras', { answer: listOf(cameraSchema) }),
  addCamera: (body: Body) => request('POST', '/api/cameras', { body, answer: cameraSchema }),
  changeCamera: (id: string, body: Body) =>
    request('PATCH', '/api/cameras/:id', { params: { id }, body, answer: cameraSchema }),
  renewPublishKey: (id: string, track: 'main' | 'sub') =>
    request('POST', '/api/cameras/:id/publish-key', {
      params: { id },
      body: { track },
      answer: cameraSchema,
    }),
  confirmRetention: (id: string) =>
    request('POST', '/api/cameras/:id/pending-retention', { params: { id }, answer: cameraSchema }),
  withdrawRetention: (id: string) =>
    request('DELETE', '/api/cameras/:id/pending-retention', {
      params: { id },
      answer: cameraSchema,
    }),
  deleteCamera: (id: string) => request('DELETE', '/api/cameras/:id', { params: { id } }),
  statuses: () =>
    request('GET', '/api/status', {
      answer: listOf(z.object({ id: z.string(), status: cameraStatusSchema })).extend({
        health: healthSchema,
      }),
    }),
  probe: (body: Body) => request('POST', '/api/cameras/probe', { body, answer: probeResultSchema }),
  discover: (signal: AbortSignal) =>
    request('GET', '/api/discovery', { signal, answer: listOf(discoveredCameraSchema) }),
  askDevice: (body: Body) =>
    request('POST', '/api/discovery/device', { body, answer: onvifDeviceSchema }),

  timeline: (cameras: readonly string[], period: Period, signal?: AbortSignal) =>
    request('GET', '/api/timeline', {
      query: { cameras: cameras.join(','), from: iso(period.fromMs), to: iso(period.toMs) },
      answer: timelineSchema,
      ...(signal === undefined ? {} : { signal }),
    }),
  motion: (
    o: Period & {
      cameras: readonly string[];
      region?: string;
      minLevel?: number;
      limit?: number;
      cursor?: string;
      signal?: AbortSignal;
    },
  ) =>
    request('GET', '/api/motion', {
      query: {
        cameras: o.cameras.join(','),
        from: iso(o.fromMs),
        to: iso(o.toMs),
        region: o.region,
        minLevel: o.minLevel,
        limit: o.limit,
        cursor: o.cursor,
      },
      answer: motionAnswerSchema,
      ...(o.signal === undefined ? {} : { signal: o.signal }),
    }),
  storage: () => request('GET', '/api/storage', { answer: storageSchema }),
  deletions: (cursor?: string) =>
    request('GET', '/api/deletions', {
      query: { cursor, limit: 25 },
      answer: listOf(recordedDeletionSchema),
    }),
  holds: () => request('GET', '/api/holds', { answer: listOf(holdSchema) }),
  addHold: (body: Body) => request('POST', '/api/holds', { body, answer: holdSchema }),
  liftHold: (id: string) => request('DELETE', '/api/holds/:id', { params: { id } }),

  exports: (cursor?: string) =>
    request('GET', '/api/exports', { query: { cursor }, answer: listOf(exportSchema) }),
  startExport: (body: Body) => request('POST', '/api/exports', { body, answer: exportSchema }),
  deleteExport: (id: string) => request('DELETE', '/api/exports/:id', { params: { id } }),

  presets: (id: string) =>
    request('GET', '/api/cameras/:id/ptz/presets', {
      params: { id },
      answer: listOf(ptzPresetSchema),
    }),
  addPreset: (id: string, name: string) =>
    request('POST', '/api/cameras/:id/ptz/presets', {
      params: { id },
      body: { name },
      answer: ptzPresetSchema,
    }),
  gotoPreset: (id: string, token: string) =>
    request('POST', '/api/cameras/:id/ptz/presets/:token/goto', { params: { id, token } }),

  users: () => request('GET', '/api/users', { answer: listOf(userSchema) }),
  addUser: (body: UserInput) => request('POST', '/api/users', { body, answer: userSchema }),
  changeUser: (id: string, body: UserPatch) =>
    request('PATCH', '/api/users/:id', { params: { id }, body, answer: userSchema }),
  deleteUser: (id: string) => request('DELETE', '/api/users/:id', { params: { id } }),
  audit: (cursor?: string) =>
    request('GET', '/api/audit', { query: { cursor }, answer: listOf(auditEntrySchema) }),
  events: () =>
    request('GET', '/api/events', { query: { limit: 200 }, answer: listOf(eventSchema) }),
};
