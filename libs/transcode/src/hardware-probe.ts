// Runs as a process of its own: encodes, and decodes, a few pictures in every way that hardware offers.

import { probeHardware } from './hardware-trial.js';

process.send?.(await probeHardware(), () => process.disconnect());
