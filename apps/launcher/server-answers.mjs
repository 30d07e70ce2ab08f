// Waits for the server, and says so when that takes long.

/** A busy or slow machine may need longer. */
const LATE_MS = 60_000;
const ANSWER_DEADLINE_MS = 10_000;

/**
 * Resolves with true when the server answers, however late that is, and with false when all is being
 * stopped.
 * @param {{url: string, isStopping: () => boolean, log: (line: string) => void, lateMs?: number}} options
 */
export async function serverAnswers({ url, isStopping, log, lateMs = LATE_MS }) {
  const startedMs = performance.now();
  let isSaid = false;
  while (!isStopping()) {
    const signal = AbortSignal.timeout(ANSWER_DEADLINE_MS);
    const answered = await fetch(`${url}/api/setup`, { signal }).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return true;
    if (!isSaid && performance.now() - startedMs > lateMs) {
      log(`the server does not answer at ${url} yet; its log says why`);
      isSaid = true;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
