// The running recorder: what it opened, and its internal door.

import 'reflect-metadata';
import { createServer } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import express from 'express';
import type { Clock, Log, Shutdown } from '#base';
import { AppModule } from './app.module.js';
import type { RecorderConfig } from './config.js';
import { InternalGuard } from './internal.guard.js';
import { LiveGateway } from './live.gateway.js';
import { NestLog } from './nest-log.js';
import type { Parts } from './parts.js';
import { ErrorFilter } from './problem.js';

export interface RunningRecorder {
  /** The internal door, as others reach it. */
  readonly url: string;
  readonly parts: Parts;
}

export async function startRecorder(o: {
  config: RecorderConfig;
  clock: Clock;
  log: Log;
  shutdown: Shutdown;
}): Promise<RunningRecorder> {
  const { config, log, shutdown } = o;
  const { module, parts } = await AppModule.open(o);
  const web = express();
  web.disable('x-powered-by').disable('etag');
  web.use(express.json({ limit: '1mb' }));
  const adapter = new ExpressAdapter(web);
  const app = await NestFactory.create<NestExpressApplication>(module, adapter, {
    bodyParser: false,
    logger: new NestLog(log),
    abortOnError: false,
  });
  app.useGlobalGuards(new InternalGuard(config.internalSecret));
  app.useGlobalFilters(new ErrorFilter(log));
  await app.init();
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
  const url = config.internalUrl ?? `http://${reachable(config.internalHost)}:${port}`;
  parts.link.start(url);
  log.info({ url, cameras: parts.recorder.reports().length }, 'recording');
  return { url, parts };
}

/** An address of everything is no address to be reached at from the same machine. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
