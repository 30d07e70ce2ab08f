// Tells zod to interpret schemas: compiling them needs eval, which the page's policy forbids.

import { config } from 'zod';

config({ jitless: true });
