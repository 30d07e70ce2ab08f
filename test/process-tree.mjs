// Ends a process and everything that it started, whatever session or group that is in.

import { readdirSync, readFileSync } from 'node:fs';

/** SIGKILL for all below `pid`, and for itself unless it is this process. */
export function killTree(pid) {
  const children = childrenByParent();
  const ending = [];
  const visit = (parent) => {
    for (const child of children.get(parent) ?? []) visit(child);
    if (parent !== process.pid) ending.push(parent);
  };
  visit(pid);
  // Parents first: one that lives would start again what it misses.
  for (const each of ending.reverse()) {
    try {
      process.kill(each, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
}

function childrenByParent() {
  const found = new Map();
  for (const name of namesIn('/proc').filter((each) => /^\d+$/.test(each))) {
    // The name of the program stands in brackets and may hold anything.
    const [, parent] = textOf(`/proc/${name}/stat`).split(')').at(-1).trim().split(' ');
    if (parent === undefined) continue;
    found.set(Number(parent), [...(found.get(Number(parent)) ?? []), Number(name)]);
  }
  return found;
}

/** Empty where there is none, as on other systems than Linux. */
function namesIn(path) {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function textOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
