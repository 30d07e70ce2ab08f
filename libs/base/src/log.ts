// JSON logs, one line per life-cycle change, with everything secret taken out.

import { pino, type Logger, type LoggerOptions } from 'pino';

export type Log = Logger;
export type LogFormat = 'text' | 'json';

const SECRET_PATHS = ['password', 'token', 'secret', 'authorization', 'cookie', 'credentials'];

/** A logger for one process; `role` is in every line. */
export function createLog(role: string, level = 'info', format: LogFormat = 'json'): Log {
  const options: LoggerOptions = {
    level,
    base: { role, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: SECRET_PATHS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
      censor: '[removed]',
    },
    formatters: { level: (label) => ({ level: label }) },
  };
  return format === 'json'
    ? pino(options)
    : pino(options, { write: (line) => void process.stdout.write(asText(line)) });
}

const UNSHOWN = new Set(['level', 'time', 'role', 'pid', 'msg', 'err']);

/** One log line for a person at a terminal: time, role, level if it matters, message, facts. */
function asText(line: string): string {
  const entry = JSON.parse(line) as Record<string, unknown>;
  const level = entry.level === 'info' ? '' : `${String(entry.level).toUpperCase()} `;
  const facts = Object.entries(entry)
    .filter(([name]) => !UNSHOWN.has(name))
    .map(
      ([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
  const error = entry.err as { message?: string; stack?: string } | undefined;
  const cause = error === undefined ? '' : `\n  ${error.stack ?? error.message ?? ''}`;
  const time = String(entry.time).slice(11, 23);
  return `${time} ${String(entry.role)}: ${level}${String(entry.msg)}${facts.join('')}${cause}\n`;
}

/** A logger that writes nothing. */
export function silentLog(): Log {
  return pino({ level: 'silent' });
}

/** A URL fit for a log or a state: its user and password are replaced. */
export function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1***@');
}
