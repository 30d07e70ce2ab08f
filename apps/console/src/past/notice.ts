// A short message over the picture that goes away by itself.

import { formatSpan } from '../format.js';
import { Signal } from '../signal.js';

const SHOWN_MS = 6000;
/** A shorter hole is not worth a word. */
const LEAST_SKIP_MS = 2000;

export class Notice {
  readonly text = new Signal<string | undefined>(undefined);
  #timer: ReturnType<typeof setTimeout> | undefined;

  say(text: string): void {
    clearTimeout(this.#timer);
    this.text.set(text);
    this.#timer = setTimeout(() => this.text.set(undefined), SHOWN_MS);
  }

  saySkipped(ms: number): void {
    if (ms > LEAST_SKIP_MS) this.say(`Skipped ${formatSpan(ms)} without recording`);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.text.set(undefined);
  }
}
