// The recorder process: reads its settings, records, ends in order.

import { createLog, messageOf, Shutdown, systemClock } from '#base';
import { readRecorderConfig } from './config.js';
import { startRecorder } from './recorder-process.js';

async function main(): Promise<void> {
  const config = readRecorderConfig(process.env);
  const log = createLog('recorder', config.logLevel, config.logFormat);
  const shutdown = new Shutdown(log, 12_000);
  shutdown.listen();
  await startRecorder({ config, clock: systemClock, log, shutdown });
}

main().catch((error: unknown) => {
  console.error(`recorder: ${messageOf(error)}`);
  process.exit(1);
});
