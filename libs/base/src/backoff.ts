// Delays between attempts: exponential, capped, with jitter so that no herd forms.

export interface BackoffOptions {
  readonly firstMs: number;
  readonly capMs: number;
  /** A source of randomness in [0, 1); tests fix it. */
  readonly random?: () => number;
}

export class Backoff {
  #attempts = 0;
  readonly #options: BackoffOptions;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  get attempts(): number {
    return this.#attempts;
  }

  /** The next delay: between half and the whole of min(cap, first * 2^attempts). */
  nextMs(): number {
    const { firstMs, capMs, random = Math.random } = this.#options;
    const wholeMs = Math.min(capMs, firstMs * 2 ** Math.min(this.#attempts, 30));
    this.#attempts += 1;
    return Math.round(wholeMs * (0.5 + random() / 2));
  }

  reset(): void {
    this.#attempts = 0;
  }
}
