// JSON logs, one line per life-cycle change, with everything secret taken out.

import { pino, type Logger } from 'pino';

export type Log = Logger;

const SECRET_PATHS = ['password', 'token', 'secret', 'authorization', 'cookie', 'credentials'];

/** A logger for one process; `role` is in every line. */
export function createLog(role: string, level = 'info'): Log {
  return pino({
    level,
    base: { role, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: SECRET_PATHS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
      censor: '[removed]',
    },
    formatters: { level: (label) => ({ level: label }) },
  });
}

/** A logger that writes nothing. */
export function silentLog(): Log {
  return pino({ level: 'silent' });
}

/** A URL fit for a log or a state: its user and password are replaced. */
export function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1***@');
}
