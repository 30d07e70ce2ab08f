// Every public route: the guard reads its role here, OpenAPI is generated from it, and a test holds
// it against what the server really serves.

import { z } from 'zod';
import {
  cameraInputSchema,
  cameraPatchSchema,
  cameraSchema,
  publishKeyInputSchema,
} from './camera.js';
import { exportInputSchema, exportSchema } from './export.js';
import {
  auditEntrySchema,
  eventSchema,
  loginAnswerSchema,
  loginInputSchema,
  meSchema,
  setupInputSchema,
  setupStateSchema,
  userInputSchema,
  userPatchSchema,
  userSchema,
} from './people.js';
import { ptzMoveSchema, ptzPresetInputSchema, ptzPresetSchema } from './ptz.js';
import { instantInputSchema, pageQuerySchema, renditionSchema, type Role } from './scalars.js';
import {
  discoveredCameraSchema,
  onvifDeviceSchema,
  probeInputSchema,
  probeResultSchema,
} from './probe.js';
import { cameraStatusSchema, healthSchema } from './status.js';
import { recorderPatchSchema, recorderViewSchema } from './recorder-view.js';
import { onvifInputSchema } from './camera.js';
import { liveQuerySchema } from './live-part.js';
import {
  holdInputSchema,
  holdSchema,
  motionAnswerSchema,
  motionQuerySchema,
  recordedDeletionSchema,
  storageSchema,
  timelineQuerySchema,
  timelineSchema,
} from './timeline.js';

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'WS';
  /** With `:name` parameters. */
  readonly path: string;
  /** The least role that may enter; `public` needs no session. */
  readonly role: Role | 'public';
  /** Of a public route: from this role on it tells more. */
  readonly moreFor?: Role;
  readonly summary: string;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly status?: number;
  readonly answer?: z.ZodType;
  /** For answers that are not JSON. */
  readonly mediaType?: string;
}

const list = (item: z.ZodType) => z.object({ items: z.array(item), cursor: z.string().optional() });
const span = { from: instantInputSchema, to: instantInputSchema };

export const playlistQuerySchema = z
  .object({ ...span, rendition: renditionSchema.default('source') })
  .refine((query) => query.from < query.to, 'expected from before to');
export const clipQuerySchema = z
  .object(span)
  .refine((query) => query.from < query.to, 'expected from before to');
export const frameQuerySchema = z.object({
  at: instantInputSchema,
  height: z.coerce.number().int().min(16).max(2160).default(360),
});

export const ROUTES = [
  { method: 'GET', path: '/healthz', role: 'public', moreFor: 'viewer', summary: 'Is recording as declared? 503 and why, if not: in general to anybody, with cameras, recorders and paths to a session.', answer: healthSchema },
  { method: 'GET', path: '/metrics', role: 'admin', summary: 'Prometheus metrics.', mediaType: 'text/plain' },
  { method: 'GET', path: '/api/openapi.json', role: 'public', summary: 'This document.' },
  { method: 'GET', path: '/api/docs', role: 'public', summary: 'This document, to browse.', mediaType: 'text/html' },

  { method: 'GET', path: '/api/setup', role: 'public', summary: 'Does the first administrator still need a password?', answer: setupStateSchema },
  { method: 'POST', path: '/api/setup', role: 'public', summary: 'Set the first administrator’s password with the one-time token.', body: setupInputSchema, answer: loginAnswerSchema, status: 200 },
  { method: 'POST', path: '/api/auth/login', role: 'public', summary: 'Sign in.', body: loginInputSchema, answer: loginAnswerSchema, status: 200 },
  { method: 'POST', path: '/api/auth/logout', role: 'viewer', summary: 'Sign out.', status: 204 },
  { method: 'GET', path: '/api/auth/me', role: 'viewer', summary: 'Who am I?', answer: meSchema },

  { method: 'GET', path: '/api/cameras', role: 'viewer', summary: 'All cameras.', answer: list(cameraSchema) },
  { method: 'POST', path: '/api/cameras', role: 'admin', summary: 'Add a camera.', body: cameraInputSchema, answer: cameraSchema, status: 201 },
  { method: 'POST', path: '/api/cameras/probe', role: 'admin', summary: 'What a camera sends, graded, without adding it.', body: probeInputSchema, answer: probeResultSchema, status: 200 },
  { method: 'GET', path: '/api/cameras/:id', role: 'viewer', summary: 'One camera.', answer: cameraSchema },
  { method: 'PATCH', path: '/api/cameras/:id', role: 'admin', summary: 'Change a camera.', body: cameraPatchSchema, answer: cameraSchema },
  { method: 'POST', path: '/api/cameras/:id/publish-key', role: 'admin', summary: 'Make a new key for a stream that the camera pushes; the old one is worth nothing from then on.', body: publishKeyInputSchema, answer: cameraSchema, status: 200 },
  { method: 'POST', path: '/api/cameras/:id/pending-retention', role: 'admin', summary: 'Let the retention that waits hold now.', answer: cameraSchema, status: 200 },
  { method: 'DELETE', path: '/api/cameras/:id/pending-retention', role: 'admin', summary: 'Withdraw the retention that waits.', answer: cameraSchema, status: 200 },
  { method: 'DELETE', path: '/api/cameras/:id', role: 'admin', summary: 'Stop and forget a camera; its footage stays until it expires.', status: 204 },
  { method: 'GET', path: '/api/cameras/:id/status', role: 'viewer', summary: 'What a camera does now.', answer: cameraStatusSchema },
  { method: 'GET', path: '/api/status', role: 'viewer', summary: 'What every camera does now, and what /healthz says.', answer: list(z.object({ id: z.string(), status: cameraStatusSchema })).extend({ health: healthSchema }) },
  { method: 'GET', path: '/api/discovery', role: 'admin', summary: 'ONVIF cameras on the network.', answer: list(discoveredCameraSchema) },
  { method: 'POST', path: '/api/discovery/device', role: 'admin', summary: 'What an ONVIF device offers to these credentials.', body: onvifInputSchema, answer: onvifDeviceSchema, status: 200 },

  { method: 'GET', path: '/api/timeline', role: 'viewer', summary: 'Recordings, motion and gaps.', query: timelineQuerySchema, answer: timelineSchema },
  { method: 'GET', path: '/api/motion', role: 'viewer', summary: 'Motion events, newest first.', query: motionQuerySchema, answer: motionAnswerSchema },
  { method: 'GET', path: '/api/storage', role: 'viewer', summary: 'Disks, footage and forecasts.', answer: storageSchema },
  { method: 'GET', path: '/api/deletions', role: 'viewer', summary: 'Footage that was deleted, when and under which rule, newest first.', query: pageQuerySchema, answer: list(recordedDeletionSchema) },
  { method: 'GET', path: '/api/holds', role: 'operator', summary: 'Legal holds.', answer: list(holdSchema) },
  { method: 'POST', path: '/api/holds', role: 'admin', summary: 'Place a legal hold.', body: holdInputSchema, answer: holdSchema, status: 201 },
  { method: 'DELETE', path: '/api/holds/:id', role: 'admin', summary: 'Lift a legal hold.', status: 204 },

  { method: 'GET', path: '/api/cameras/:id/playback.m3u8', role: 'viewer', summary: 'HLS playlist of a period.', query: playlistQuerySchema, mediaType: 'application/vnd.apple.mpegurl' },
  { method: 'GET', path: '/api/cameras/:id/init.mp4', role: 'viewer', summary: 'fMP4 initialisation that a playlist names.', mediaType: 'video/mp4' },
  { method: 'GET', path: '/api/cameras/:id/slice.m4s', role: 'viewer', summary: 'fMP4 slice that a playlist names.', mediaType: 'video/iso.segment' },
  { method: 'GET', path: '/api/cameras/:id/clip.mp4', role: 'viewer', summary: 'One MP4 of an exact period.', query: clipQuerySchema, mediaType: 'video/mp4' },
  { method: 'GET', path: '/api/cameras/:id/frame.jpg', role: 'viewer', summary: 'The picture at a time.', query: frameQuerySchema, mediaType: 'image/jpeg' },
  { method: 'GET', path: '/api/cameras/:id/live.mp4', role: 'viewer', summary: 'Endless fMP4.', mediaType: 'video/mp4' },
  { method: 'WS', path: '/api/cameras/:id/live', role: 'viewer', summary: 'Live parts.', query: liveQuerySchema },

  { method: 'GET', path: '/api/exports', role: 'operator', summary: 'Exports, newest first.', query: pageQuerySchema, answer: list(exportSchema) },
  { method: 'POST', path: '/api/exports', role: 'operator', summary: 'Start an export.', body: exportInputSchema, answer: exportSchema, status: 202 },
  { method: 'GET', path: '/api/exports/:id', role: 'operator', summary: 'How an export stands.', answer: exportSchema },
  { method: 'DELETE', path: '/api/exports/:id', role: 'operator', summary: 'Cancel or delete an export.', status: 204 },
  { method: 'GET', path: '/api/exports/:id/file', role: 'operator', summary: 'The ZIP of a finished export.', mediaType: 'application/zip' },

  { method: 'POST', path: '/api/cameras/:id/ptz/move', role: 'operator', summary: 'Move until told otherwise, or for half a second.', body: ptzMoveSchema, status: 200 },
  { method: 'POST', path: '/api/cameras/:id/ptz/stop', role: 'operator', summary: 'Stop.', status: 200 },
  { method: 'GET', path: '/api/cameras/:id/ptz/presets', role: 'operator', summary: 'Presets.', answer: list(ptzPresetSchema) },
  { method: 'POST', path: '/api/cameras/:id/ptz/presets', role: 'operator', summary: 'Save where it looks now.', body: ptzPresetInputSchema, answer: ptzPresetSchema, status: 201 },
  { method: 'POST', path: '/api/cameras/:id/ptz/presets/:token/goto', role: 'operator', summary: 'Go to a preset.', status: 200 },
  { method: 'WS', path: '/api/ptz', role: 'operator', summary: 'Joystick.' },

  { method: 'GET', path: '/api/recorders', role: 'admin', summary: 'Recorders, and how many cameras each has.', answer: list(recorderViewSchema) },
  { method: 'PATCH', path: '/api/recorders/:id', role: 'admin', summary: 'Hand a recorder’s cameras to the others, or give it its share again.', body: recorderPatchSchema, answer: recorderViewSchema },
  { method: 'DELETE', path: '/api/recorders/:id', role: 'admin', summary: 'Forget a recorder that will not come back, and its footage with it.', status: 204 },

  { method: 'GET', path: '/api/users', role: 'admin', summary: 'Users.', answer: list(userSchema) },
  { method: 'POST', path: '/api/users', role: 'admin', summary: 'Add a user.', body: userInputSchema, answer: userSchema, status: 201 },
  { method: 'PATCH', path: '/api/users/:id', role: 'admin', summary: 'Change a user.', body: userPatchSchema, answer: userSchema },
  { method: 'DELETE', path: '/api/users/:id', role: 'admin', summary: 'Delete a user.', status: 204 },
  { method: 'GET', path: '/api/audit', role: 'admin', summary: 'Who did what.', query: pageQuerySchema, answer: list(auditEntrySchema) },
  { method: 'GET', path: '/api/events', role: 'viewer', summary: 'What happened, newest first.', query: pageQuerySchema, answer: list(eventSchema) },
  { method: 'WS', path: '/api/events/live', role: 'viewer', summary: 'What happens, as it happens (JSON events and camera states).' },
] as const satisfies readonly Route[];
