// The thread of the hostile cameras, so that their floods do not hold up who measures.

import { parentPort, workerData } from 'node:worker_threads';
import { HOSTILE_KINDS, startHostileCamera } from '../../dist/test/load/hostile-cameras.js';

const cameras = await Promise.all(
  Array.from({ length: workerData.count }, (_, index) =>
    startHostileCamera(HOSTILE_KINDS[index % HOSTILE_KINDS.length]),
  ),
);
parentPort.postMessage({ cameras: cameras.map(({ kind, url }) => ({ kind, url })) });
parentPort.on('message', () => {
  parentPort.postMessage({ connections: cameras.map(({ connections }) => connections) });
});
