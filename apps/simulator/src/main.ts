// The simulator's process: `node main.js simulator [--clip name=file] [--copies n] [--burst]`.

import { createLog, Shutdown } from '#base';
import { readClipFile } from './clip-file.js';
import { readSimulatorConfig } from './config.js';
import { startSimulator } from './simulator.js';

const { environment, clips, copies, burst } = readSimulatorConfig(
  process.env,
  process.argv.slice(process.argv[2] === 'simulator' ? 3 : 2),
);
const log = createLog('simulator', environment.NIGHTJAR_LOG_LEVEL, environment.NIGHTJAR_LOG_FORMAT);
const shutdown = new Shutdown(log);
shutdown.listen();

const user = environment.NIGHTJAR_SIMULATOR_USER;
const clipDirectory = environment.NIGHTJAR_SIMULATOR_CLIP_DIR;
const simulator = await startSimulator({
  host: environment.NIGHTJAR_SIMULATOR_HOST,
  rtspPort: environment.NIGHTJAR_SIMULATOR_PORT,
  onvifPort: environment.NIGHTJAR_SIMULATOR_ONVIF_PORT,
  ...(clipDirectory === undefined ? {} : { clipDirectory }),
  ...(user === undefined
    ? {}
    : { credentials: { user, password: environment.NIGHTJAR_SIMULATOR_PASSWORD } }),
  clips: Object.fromEntries(clips.map(({ name, path }) => [name, () => readClipFile(path)])),
  copies,
  discoverable: true,
  pacing: burst ? 'burst' : 'paced',
  log,
});
shutdown.add('simulator', () => simulator.close());
const { rtspPort, onvifPort, paths: streams } = simulator;
process.stdout.write(`${JSON.stringify({ ready: true, rtspPort, onvifPort, streams })}\n`);
