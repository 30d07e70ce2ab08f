// The recorder's internal door: HTTP by Nest, live video on WebSockets, one server for both.

import 'reflect-metadata';
import { createServer } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import express, { type NextFunction, type Request, type Response } from 'express';
import type { Shutdown } from '#base';
import { AppModule } from './app.module.js';
import { InternalGuard } from './internal.guard.js';
import { LiveGateway } from './live.gateway.js';
import { NestLog } from './nest-log.js';
import type { Parts } from './parts.js';
import { answerError, ErrorFilter } from './problem.js';

/** Asked for by programs that can wait until cameras have been read. */
const POLLED = new Set(['/internal/status', '/internal/metrics', '/internal/refresh']);

/** Gives the address at which others reach it. */
export async function openInternalDoor(parts: Parts, shutdown: Shutdown): Promise<string> {
  const { config, log } = parts;
  const web = express();
  web.disable('x-powered-by').disable('etag');
  web.use((request: Request, _response: Response, next: NextFunction) => {
    if (!POLLED.has(request.path)) parts.recorder.turns.asked();
    next();
  });
  web.use(express.json({ limit: '1mb' }));
  const app = await NestFactory.create<NestExpressApplication>(
    AppModule.of(parts),
    new ExpressAdapter(web),
    { bodyParser: false, logger: new NestLog(log), abortOnError: false },
  );
  app.useGlobalGuards(new InternalGuard(config.internalSecret));
  app.useGlobalFilters(new ErrorFilter(log));
  await app.init();
  // A body that cannot be read fails before Nest sees the request.
  web.use((error: unknown, _request: Request, response: Response, _next: NextFunction) =>
    answerError(error, response, log),
  );
  const live = new LiveGateway(parts);
  const server = createServer(web);
  live.attach(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.internalPort, config.internalHost, resolve);
  });
  shutdown.add('internal door', async () => {
    live.close();
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    await app.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return config.internalUrl ?? `http://${reachable(config.internalHost)}:${port}`;
}

/** An address of everything is no address to be reached at from the same machine. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
