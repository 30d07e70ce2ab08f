// Prometheus metrics: the server's own, every recorder's and every transcoder's, one exposition with a label that says
// which process each series is from.

import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { NextFunction, Request, Response } from 'express';
import type { Connections } from './connections.js';
import type { Peer, RecorderRegistry } from './recorder-registry.js';

const DEADLINE_MS = 3000;

export class Metrics {
  readonly #registry = new Registry();
  readonly #recorders: RecorderRegistry;
  readonly #requests: Counter<'method' | 'status'>;

  constructor(o: { recorders: RecorderRegistry; connections: Pick<Connections, 'size'> }) {
    this.#recorders = o.recorders;
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Counter({
      name: 'nightjar_http_requests_total',
      help: 'Requests answered on the public and the internal door.',
      labelNames: ['method', 'status'],
      registers,
    });
    new Gauge({
      name: 'nightjar_connections',
      help: 'Live views, joysticks, feeds and downloads that are open.',
      registers,
      collect() {
        this.set(o.connections.size);
      },
    });
    new Gauge({
      name: 'nightjar_recorders',
      help: 'Recorders that live.',
      registers,
      collect() {
        this.set(o.recorders.recorders().length);
      },
    });
    new Gauge({
      name: 'nightjar_transcoders',
      help: 'Transcoders that live.',
      registers,
      collect() {
        this.set(o.recorders.transcoders().length);
      },
    });
  }

  /** Express middleware. */
  readonly count = (request: Request, response: Response, next: NextFunction): void => {
    response.once('finish', () =>
      this.#requests.inc({ method: request.method, status: String(response.statusCode) }),
    );
    next();
  };

  async text(): Promise<string> {
    const parts = [{ process: 'server', text: await this.#registry.metrics() }];
    await Promise.all(
      [...this.#recorders.recorders(), ...this.#recorders.transcoders()].map(async (peer) => {
        const text = await textOf(peer);
        if (text !== undefined) parts.push({ process: peer.id, text });
      }),
    );
    return mergeExpositions(parts);
  }
}

async function textOf(peer: Peer): Promise<string | undefined> {
  try {
    const response = await peer.client.fetch('/internal/metrics', {
      deadlineMs: DEADLINE_MS,
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    return response.ok ? await response.text() : undefined;
  } catch {
    // Its absence shows in the missing series.
    return undefined;
  }
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(\{(.*)\})? (.+)$/;
const COMMENT = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*)/;

/** Families stay together, as the format demands; each is described once. */
export function mergeExpositions(
  parts: readonly { readonly process: string; readonly text: string }[],
): string {
  const families = new Map<
    string,
    { readonly comments: Set<string>; readonly samples: string[] }
  >();
  for (const { process, text } of parts) {
    let family = '';
    for (const line of text.split('\n')) {
      const comment = COMMENT.exec(line);
      const sample = comment === null ? SAMPLE.exec(line) : null;
      if (comment?.[2] !== undefined) family = comment[2];
      else if (sample?.[1] === undefined) continue;
      else if (!sample[1].startsWith(family) || family === '') family = sample[1];
      const entry = families.get(family) ?? { comments: new Set(), samples: [] };
      families.set(family, entry);
      if (comment !== null) {
        const kind = comment[1] ?? '';
        if (![...entry.comments].some((known) => known.startsWith(`# ${kind} `))) {
          entry.comments.add(line);
        }
      } else if (sample !== null) {
        const labels = [`process="${escaped(process)}"`, ...(sample[3] ? [sample[3]] : [])].join(
          ',',
        );
        entry.samples.push(`${sample[1]}{${labels}} ${sample[4]}`);
      }
    }
  }
  return [...families.values()]
    .map(({ comments, samples }) => `${[...comments, ...samples].join('\n')}\n`)
    .join('');
}

function escaped(label: string): string {
  return label
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`);
}
