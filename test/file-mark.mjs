// Runs before each test file: says which process runs it, so that file-watch.mjs can end one that hangs.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const marks = process.env.NIGHTJAR_TEST_MARKS;
if (marks !== undefined) {
  writeFileSync(join(marks, String(process.pid)), expect.getState().testPath);
}
