// The running server: its two doors, what stands in front of every route, and what happens first.

import 'reflect-metadata';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import express, {
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import helmet from 'helmet';
import { NightjarError, type Clock, type Log, type Shutdown } from '#base';
import { AppModule, type Parts } from './app.module.js';
import type { ServerConfig } from './config.js';
import { serveConsole } from './console-files.js';
import { answerError, ErrorFilter } from './error-filter.js';
import type { TrustProxy } from './gatekeeper.js';
import { NestLog } from './nest-log.js';
import { plantSeeds } from './seed-cameras.js';
import { SessionGuard } from './session-guard.js';

const BODY_LIMIT = '1mb';
/** What may be behind this door: a recorder reports up to a thousand events at once. */
const INTERNAL_BODY_LIMIT = '8mb';

export interface RunningServer {
  readonly url: string;
  readonly internalUrl: string;
  readonly app: NestExpressApplication;
  readonly parts: Parts;
  /** Present on an empty installation without a password: opens the set-up page once. */
  readonly setupToken?: string;
}

export async function startServer(o: {
  config: ServerConfig;
  clock: Clock;
  log: Log;
  shutdown: Shutdown;
}): Promise<RunningServer> {
  const { config, log, shutdown } = o;
  const web = express();
  web.set('trust proxy', config.trustedProxies.length === 0 ? false : [...config.trustedProxies]);
  const trusts = web.get('trust proxy fn') as (address: string, hop: number) => boolean;
  const trustProxy: TrustProxy = (address) => address !== '' && trusts(address, 0);

  const parts = await AppModule.open({ ...o, trustProxy });
  const internalRequests = new WeakSet<IncomingMessage>();
  web.disable('x-powered-by').disable('etag');
  web.use((request: Request, _response: Response, next: NextFunction) => {
    // Each door leads to its own routes only, whatever else the caller knows.
    const belongs = internalRequests.has(request) === request.path.startsWith('/internal/');
    next(belongs ? undefined : new NightjarError('not-found', 'there is nothing here'));
  });
  web.use(parts.metrics.count);
  web.use(securityHeaders());
  web.use('/api', neverCached);
  web.use(requireJson);
  web.use('/internal', express.json({ limit: INTERNAL_BODY_LIMIT }));
  web.use(express.json({ limit: BODY_LIMIT }));
  web.use(serveConsole(config.consoleDirectory));

  const app = await NestFactory.create<NestExpressApplication>(
    parts.module,
    new ExpressAdapter(web),
    { bodyParser: false, logger: new NestLog(log), abortOnError: false },
  );
  app.useGlobalGuards(new SessionGuard(parts.gatekeeper, config.internalSecret));
  app.useGlobalFilters(new ErrorFilter(log));
  await app.init();
  web.use((error: unknown, request: Request, response: Response, _next: NextFunction) =>
    answerError(error, request, response, log),
  );

  await plantSeeds(config.seedCameras, parts.catalog, parts.cameraDesk);
  const setupToken = await parts.signIn.prepareFirstRun(config.adminPassword);
  const internalDoor = createServer((request, response) => {
    internalRequests.add(request);
    web(request, response);
  });
  const internalUrl = await listen(internalDoor, config.internalHost, config.internalPort);
  parts.ownDoor.url ??= internalUrl;
  shutdown.add('internal door', () => close(internalDoor));
  const publicDoor = createServer(web);
  parts.sockets.attach(publicDoor);
  const url = await listen(publicDoor, config.host, config.port);
  shutdown.add('public door', () => close(publicDoor));
  log.info({ url, internalUrl }, 'serving');
  return { url, internalUrl, app, parts, ...(setupToken === undefined ? {} : { setupToken }) };
}

/** Scripts of our own only; what the console needs for video, workers and its styles. */
function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:', 'blob:'],
        mediaSrc: ["'self'", 'blob:'],
        workerSrc: ["'self'", 'blob:'],
        fontSrc: ["'self'", 'data:'],
        // Browsers that predate CSP 3 do not count WebSockets under 'self'.
        connectSrc: ["'self'", (request) => socketOrigins(request)],
        objectSrc: ["'none'"],
        baseUri: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    // Nightjar also serves plain HTTP on local networks; a proxy with TLS adds this header.
    strictTransportSecurity: false,
  });
}

function socketOrigins(request: IncomingMessage): string {
  const host = request.headers.host ?? '';
  return /^[\w.:[\]-]+$/.test(host) ? `ws://${host} wss://${host}` : "'self'";
}

/** Answers of the API are for this caller at this moment; media say otherwise themselves. */
function neverCached(_request: Request, response: Response, next: NextFunction): void {
  response.setHeader('cache-control', 'no-store');
  next();
}

/** A form of another site cannot send JSON without asking first. */
function requireJson(request: Request, _response: Response, next: NextFunction): void {
  const hasBody =
    request.headers['transfer-encoding'] !== undefined ||
    Number(request.headers['content-length'] ?? 0) > 0;
  if (hasBody && request.is('application/json') === false) {
    next(new NightjarError('unsupported', 'expected a body of type application/json'));
  } else next();
}

async function listen(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const bound = server.address();
  const boundPort = bound !== null && typeof bound === 'object' ? bound.port : port;
  const shown = ['0.0.0.0', '::'].includes(host) ? 'localhost' : host;
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${boundPort}`;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
