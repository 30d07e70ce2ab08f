// The transcoder process: reads its settings, opens its door, ends in order.

import { createLog, messageOf, Shutdown, systemClock } from '#base';
import { readTranscoderConfig } from './config.js';
import { startTranscoder } from './transcoder-app.js';

async function main(): Promise<void> {
  const config = readTranscoderConfig(process.env);
  const log = createLog('transcoder', config.logLevel, config.logFormat);
  const shutdown = new Shutdown(log);
  shutdown.listen();
  await startTranscoder({ config, clock: systemClock, log, shutdown });
}

main().catch((error: unknown) => {
  console.error(`transcoder: ${messageOf(error)}`);
  process.exit(1);
});
