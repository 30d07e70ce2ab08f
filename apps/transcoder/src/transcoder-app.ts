// The running transcoder: its parts, its door, and its word to the server that it lives.

import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { InternalClient } from '#base';
import { Announcer } from './announcer.js';
import { AppModule, type AppOptions } from './app.module.js';
import { InternalGuard } from './internal-guard.js';
import { NestLog } from './nest-log.js';
import { ProblemFilter } from './problem.js';

export interface RunningTranscoder {
  /** The door, as this machine reaches it. */
  readonly url: string;
}

export async function startTranscoder(options: AppOptions): Promise<RunningTranscoder> {
  const { config, clock, log, shutdown } = options;
  const module = await AppModule.open(options);
  const app = await NestFactory.create<NestExpressApplication>(module, {
    bodyParser: false,
    logger: new NestLog(log),
    abortOnError: false,
  });
  app.disable('x-powered-by').disable('etag');
  app.useGlobalGuards(new InternalGuard(config.internalSecret));
  app.useGlobalFilters(new ProblemFilter(log));
  await app.listen(config.internalPort, config.internalHost);
  shutdown.add('door', () => {
    // Streams that run would hold the door open: whoever reads them asks another transcoder.
    (app.getHttpServer() as { closeAllConnections(): void }).closeAllConnections();
    return app.close();
  });
  const url = reachable(await app.getUrl(), config.internalHost);
  const announcer = new Announcer({
    client: new InternalClient(config.serverUrl, config.internalSecret),
    announce: { role: 'transcoder', id: config.id, url: config.internalUrl ?? url },
    clock,
    log,
  });
  shutdown.add('announcer', () => announcer.close());
  log.info({ url }, 'the transcoder is ready');
  return { url };
}

/** An address that listens everywhere is reached here by the loopback. */
function reachable(url: string, host: string): string {
  const port = new URL(url).port;
  if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
