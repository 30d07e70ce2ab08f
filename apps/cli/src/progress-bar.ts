// How far long work is, drawn in one line of a terminal.

const WIDTH = 30;

export function progressBar(done: number, total: number): string {
  const share = total <= 0 ? 1 : Math.min(1, done / total);
  const full = Math.round(share * WIDTH);
  const percent = Math.floor(share * 100);
  return `[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}] ${percent} % ${done} of ${total} chunks`;
}
