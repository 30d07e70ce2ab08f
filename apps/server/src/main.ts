// The server process: reads its settings, opens its doors, ends in order.

import { createLog, messageOf, Shutdown, systemClock } from '#base';
import { readServerConfig } from './config.js';
import { startServer } from './server.js';

async function main(): Promise<void> {
  const config = readServerConfig(process.env);
  const log = createLog('server', config.logLevel);
  const shutdown = new Shutdown(log);
  shutdown.listen();
  const { url, setupToken } = await startServer({ config, clock: systemClock, log, shutdown });
  if (setupToken !== undefined) printSetupLink(`${url}/setup#token=${setupToken}`);
}

/** Not in the log: logs are kept and shipped, and this link makes an administrator. */
function printSetupLink(link: string): void {
  const bar = '='.repeat(link.length);
  process.stdout.write(
    `\n${bar}\nNightjar has no administrator yet. Open this link once to set a password:\n\n${link}\n${bar}\n\n`,
  );
}

main().catch((error: unknown) => {
  console.error(`server: ${messageOf(error)}`);
  process.exit(1);
});
