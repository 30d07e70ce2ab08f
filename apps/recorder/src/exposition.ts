// The metrics of one exposition, named as Prometheus names them: base units, counters end in `_total`.

import { Counter, Gauge, Registry } from 'prom-client';

/** Made for one answer: what is gone leaves no series behind. */
export class Exposition {
  readonly #registry = new Registry();

  readonly gauge = <L extends string>(name: string, help: string, ...labelNames: L[]): Gauge<L> => {
    const registers = [this.#registry];
    return new Gauge({ name: `nightjar_${name}`, help, labelNames, registers });
  };

  /** For a count that somebody else keeps. */
  readonly counter = <L extends string>(name: string, help: string, ...labelNames: L[]) => {
    if (!name.endsWith('_total')) throw new Error(`a counter's name ends in _total: ${name}`);
    const registers = [this.#registry];
    const counter = new Counter({ name: `nightjar_${name}`, help, labelNames, registers });
    return {
      set: (labels: Partial<Record<L, string>>, value: number) => counter.inc(labels, value),
    };
  };

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
