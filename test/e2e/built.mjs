// Builds before the first installation starts: a start that builds takes longer than a test waits for.

import { prepare } from '../../apps/launcher/prepare.mjs';

export default () => prepare((line) => console.log(line));
