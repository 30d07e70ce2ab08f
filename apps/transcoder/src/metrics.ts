// Prometheus metrics of a transcoder, gathered when they are asked for.

import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { TranscoderState } from './status-desk.js';

/** One registry per process: the default metrics watch the event loop from the first question on. */
const processRegistry = new Registry();
let watching = false;

export async function metricsText(state: TranscoderState): Promise<string> {
  if (!watching) collectDefaultMetrics({ register: processRegistry });
  watching = true;
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, value: number) =>
    new Gauge({ name: `nightjar_${name}`, help, registers }).set(value);
  const counter = (name: string, help: string, value: number) =>
    new Counter({ name: `nightjar_${name}_total`, help, registers }).inc(value);
  const { transcodes, slices, cache, exports } = state;
  gauge('transcodes_running', 'Decoding and encoding now.', transcodes.running);
  gauge('transcodes_waiting', 'Waiting for their turn.', transcodes.waiting);
  gauge('transcodes_limit', 'How many run at once at the most.', transcodes.concurrency);
  counter(
    'transcode_hardware_failures',
    'Transcodes that the CPU had to finish.',
    transcodes.hardwareFailures,
  );
  new Gauge({
    name: 'nightjar_transcode_encoder',
    help: 'Which encoder is used.',
    labelNames: ['encoder'],
    registers,
  }).set({ encoder: transcodes.encoder }, 1);
  gauge('rendition_slices_running', 'Slices that are being made now.', slices.running);
  gauge('rendition_cache_files', 'Renditions that are kept.', cache.files);
  gauge('rendition_cache_bytes', 'Of renditions that are kept.', cache.sizeBytes);
  gauge('rendition_cache_limit_bytes', 'What is kept at the most.', cache.maxBytes);
  counter('rendition_cache_hits', 'Slices that were there already.', cache.hits);
  counter('rendition_cache_misses', 'Slices that had to be made.', cache.misses);
  gauge('exports_running', 'Exports that are being made now.', exports.running);
  return (await processRegistry.metrics()) + (await registry.metrics());
}
