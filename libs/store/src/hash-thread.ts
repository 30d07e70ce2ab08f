// The thread that hashes what is written to chunks, so that cameras are read meanwhile.

import { Worker } from 'node:worker_threads';

/** Pieces and questions under way; there are never more pieces than slots. */
const RING = 8192;
const ENTRY_WORDS = 3;
/** Words in front of the ring: how many were submitted, how many are done, whether to tell. */
const SUBMITTED = 0;
const DONE = 1;
const TELL = 2;
const HEAD_WORDS = 4;
/** In place of a length. */
const DIGEST = -1;
const FORGET = -2;

/**
 * As text, since a worker of a test could not load TypeScript. It sleeps until the ring has entries;
 * it answers questions for digests, and says that it is done only when somebody waits for that.
 */
const THREAD = `
const { workerData: { memory, ring }, parentPort } = require('node:worker_threads');
const { createHash } = require('node:crypto');
const words = new Int32Array(ring);
const bytes = new Uint8Array(memory);
const hashes = new Map();
let done = 0;
for (;;) {
  Atomics.wait(words, ${SUBMITTED}, done);
  while (done !== Atomics.load(words, ${SUBMITTED})) {
    const at = ${HEAD_WORDS} + (done & ${RING - 1}) * ${ENTRY_WORDS};
    const id = words[at];
    const length = words[at + 2];
    if (length === ${FORGET}) hashes.delete(id);
    else {
      let hash = hashes.get(id);
      if (hash === undefined) hashes.set(id, hash = createHash('sha256'));
      if (length === ${DIGEST}) {
        hashes.delete(id);
        parentPort.postMessage([id, hash.digest('hex')]);
      } else hash.update(bytes.subarray(words[at + 1], words[at + 1] + length));
    }
    done = (done + 1) | 0;
    Atomics.store(words, ${DONE}, done);
    if (Atomics.load(words, ${TELL}) === 1) {
      Atomics.store(words, ${TELL}, 0);
      parentPort.postMessage(undefined);
    }
  }
}
`;

interface Question {
  readonly resolve: (sha256: string) => void;
  readonly reject: (error: Error) => void;
}

/** What was submitted is hashed in that order. */
export class HashThread {
  readonly #words = new Int32Array(
    new SharedArrayBuffer((HEAD_WORDS + RING * ENTRY_WORDS) * Int32Array.BYTES_PER_ELEMENT),
  );
  readonly #worker: Worker;
  readonly #questions = new Map<number, Question>();
  /** Pieces were hashed, or never will be. */
  readonly #onDone: () => void;
  #submitted = 0;
  #lastId = 0;
  #isAwaited = false;
  #failure: Error | undefined;

  /** Hashes pieces of `memory`. It keeps the process alive only while somebody waits for it. */
  constructor(memory: SharedArrayBuffer, onDone: () => void) {
    this.#onDone = onDone;
    this.#worker = new Worker(THREAD, {
      eval: true,
      workerData: { memory, ring: this.#words.buffer },
      // It holds nothing but hashes.
      resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 },
    });
    this.#worker.on('message', (answer: [number, string] | undefined) => {
      if (answer === undefined) {
        this.#isAwaited = false;
        this.#hold();
        onDone();
        return;
      }
      const [id, sha256] = answer;
      this.#questions.get(id)?.resolve(sha256);
      this.#questions.delete(id);
      this.#hold();
    });
    const fail = (error: Error) => {
      this.#failure ??= error;
      for (const { reject } of this.#questions.values()) reject(error);
      this.#questions.clear();
      onDone();
    };
    this.#worker.on('error', fail);
    this.#worker.on('exit', () => fail(new Error('the thread that hashes has ended')));
    // Behind the listeners, since the first one holds the process.
    this.#worker.unref();
  }

  /** It cannot be used any more, and reads no memory. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  newId(): number {
    this.#lastId = (this.#lastId + 1) & 0x7fffffff;
    return this.#lastId;
  }

  /** The number of the piece, for `isDone`. */
  submit(id: number, offset: number, length: number): number {
    const at = HEAD_WORDS + (this.#submitted & (RING - 1)) * ENTRY_WORDS;
    this.#words[at] = id;
    this.#words[at + 1] = offset;
    this.#words[at + 2] = length;
    this.#submitted = (this.#submitted + 1) | 0;
    Atomics.store(this.#words, SUBMITTED, this.#submitted);
    Atomics.notify(this.#words, SUBMITTED);
    return this.#submitted;
  }

  isDone(submitted: number): boolean {
    return this.failed || ((Atomics.load(this.#words, DONE) - submitted) | 0) >= 0;
  }

  /**
   * Has `onDone` called once, when the next piece is hashed or question answered. Ask `isDone` again
   * behind it.
   */
  tellWhenDone(): void {
    Atomics.store(this.#words, TELL, 1);
    this.#isAwaited = true;
    this.#hold();
  }

  /** Of all pieces of `id`, which may be used for another hash then. In hex. */
  digest(id: number): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#questions.set(id, { resolve, reject });
      this.#hold();
      this.#put(id, DIGEST);
    });
  }

  forget(id: number): void {
    if (!this.failed) this.#put(id, FORGET);
  }

  /** What is waited for fails, as if the thread had. */
  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #put(id: number, what: typeof DIGEST | typeof FORGET): void {
    const room = RING - ((this.#submitted - Atomics.load(this.#words, DONE)) | 0);
    // A hash that is not forgotten costs a hundred bytes, a seal that is not made is made later.
    if (room > RING / 2) this.submit(id, 0, what);
    else {
      this.#questions.get(id)?.reject(new Error('too many hashes are waited for'));
      this.#questions.delete(id);
    }
  }

  #hold(): void {
    if (this.failed) return;
    if (this.#isAwaited || this.#questions.size > 0) this.#worker.ref();
    else this.#worker.unref();
  }
}
