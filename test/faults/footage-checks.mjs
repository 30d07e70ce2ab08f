// What must hold after any fault: what is missing in front of a kill and why, chunks that decode,
// and an index that agrees with them.

import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../apps/launcher/prepare.mjs';

export const MOST_LOST_MS = 2000;
/** The timeline makes no gap of a shorter hole. */
const SHORTEST_GAP_MS = 1000;

/**
 * Of one camera's timeline around a kill: how much is missing in front of it, and what is wrong with
 * the gap behind it. It recorded `sinceMs` at the latest; undefined when nobody saw it do so.
 */
export function judgeKill({ recordings, gaps }, { killMs, sinceMs }) {
  const spans = recordings
    .filter(({ track }) => track === 'main')
    .map(({ from, to }) => ({ from: Date.parse(from), to: Date.parse(to) }))
    .sort((a, b) => a.from - b.from);
  const before = spans.filter(({ from }) => from < killMs);
  // Behind the kill where what was killed took the recorder with it in order.
  const endMs = Math.max(0, ...before.map(({ to }) => to));
  const faults = [];
  const lossMs = sinceMs === undefined ? 0 : Math.max(0, killMs - Math.max(endMs, sinceMs));
  if (lossMs > MOST_LOST_MS) faults.push(`${Math.round(lossMs)} ms are missing in front of it`);
  const next = spans.find(({ from }) => from >= killMs);
  if (next === undefined) faults.push('nothing was recorded after it');
  else if (before.length > 0 && next.from - endMs > SHORTEST_GAP_MS + 100) {
    const inside = gaps
      .map(({ from, to, reason }) => ({ from: Date.parse(from), to: Date.parse(to), reason }))
      .filter(({ from, to }) => to > endMs + 1 && from < next.from - 1);
    const covered = inside.reduce(
      (sum, { from, to }) => sum + Math.min(to, next.from) - Math.max(from, endMs),
      0,
    );
    if (covered < next.from - endMs - 100) {
      faults.push(`of ${next.from - endMs} ms without footage only ${covered} have a reason`);
    }
    for (const { reason } of inside) {
      if (reason !== 'restart') faults.push(`a gap says ${reason}, not restart`);
    }
  }
  return { lossMs, faults };
}

/** Faults that `nightjar check` finds in a store that nobody has open. */
export async function checkStore(data) {
  const { code, stdout, stderr } = await output(
    [process.execPath, 'apps/cli/bin/nightjar.mjs', 'check', '--data-dir', data, '--json'],
    60_000,
  );
  if (code === 0) return [];
  const faults = stdout === '' ? [] : (JSON.parse(stdout).faults ?? []);
  return faults.length > 0 ? faults : [`nightjar check ended with ${code}: ${stderr.trim()}`];
}

/** Decodes, from first to last byte, every chunk that is not in `known`, and adds it there. */
export async function decodeNewChunks(storeDir, known) {
  const faults = [];
  const fresh = readdirSync(storeDir, { recursive: true }).filter(
    (path) => /\.h26[45]$/.test(path) && !known.has(path),
  );
  for (const path of fresh) {
    known.add(path);
    const { code, stderr } = await output(
      // prettier-ignore
      ['ffmpeg', '-v', 'error', '-xerror', '-threads', '1', '-i', join(storeDir, path), '-f', 'null', '-'],
      60_000,
    );
    if (code !== 0 || stderr !== '') faults.push(`${path} does not decode: ${stderr.trim()}`);
  }
  return { faults, decoded: fresh.length };
}

function output([command, ...args], deadlineMs) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}
