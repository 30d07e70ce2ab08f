// What every target of the fuzzing asks of what it runs.

import { NightjarError } from '../../libs/base/src/index.js';
import { Violation } from './fuzz-engine.js';

export function mustHold(holds: boolean, what: string): void {
  if (!holds) throw new Violation(what);
}

/** Errors of the house are answers; anything else is a fault. */
export function answered<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof NightjarError) return undefined;
    throw error;
  }
}
