// Which cameras the wall shows, in which order and grid; kept in local storage.

import { z } from 'zod';

export const GRID_CHOICES = ['auto', '1', '2', '3', '4'] as const;
export type GridChoice = (typeof GRID_CHOICES)[number];

const arrangementSchema = z.object({
  grid: z.enum(GRID_CHOICES),
  /** Camera ids; those not named follow by name. */
  order: z.array(z.string()),
  hidden: z.array(z.string()),
});
export type Arrangement = z.infer<typeof arrangementSchema>;

export const DEFAULT_ARRANGEMENT: Arrangement = { grid: 'auto', order: [], hidden: [] };

/** The default for text that is absent, torn or of another time. */
export function readArrangement(text: string | null): Arrangement {
  if (text === null) return DEFAULT_ARRANGEMENT;
  try {
    const parsed = arrangementSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : DEFAULT_ARRANGEMENT;
  } catch {
    return DEFAULT_ARRANGEMENT;
  }
}

/** The ids to show, in order; a camera that was added later is never left out. */
export function arrange(ids: readonly string[], arrangement: Arrangement): string[] {
  const known = new Set(ids);
  const first = arrangement.order.filter((id) => known.delete(id));
  const hidden = new Set(arrangement.hidden);
  return [...first, ...ids.filter((id) => known.has(id))].filter((id) => !hidden.has(id));
}

export interface Grid {
  readonly columns: number;
  readonly rows: number;
}

/** The smallest grid that holds `count`, up to 4 x 4, wider rather than taller. */
export function gridOf(choice: GridChoice, count: number): Grid {
  if (choice !== 'auto') return { columns: Number(choice), rows: Number(choice) };
  if (count <= 1) return { columns: 1, rows: 1 };
  const columns = count <= 4 ? 2 : count <= 9 ? 3 : 4;
  return { columns, rows: Math.min(columns, Math.max(1, Math.ceil(count / columns))) };
}

/** The ids of one page; the page number is brought into range. */
export function pageOf(ids: readonly string[], size: number, page: number) {
  const pages = Math.max(1, Math.ceil(ids.length / size));
  const current = Math.min(Math.max(0, page), pages - 1);
  return { pages, current, ids: ids.slice(current * size, (current + 1) * size) };
}

/** Exchanges the places of two cameras among those shown. */
export function swap(shown: readonly string[], a: string, b: string): string[] {
  return shown.map((id) => (id === a ? b : id === b ? a : id));
}

/** The tile that an arrow key leads to, or the same one at an edge. */
export function neighbour(at: number, key: string, o: { count: number; columns: number }): number {
  const step: Record<string, number> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -o.columns,
    ArrowDown: o.columns,
  };
  const next = at + (step[key] ?? 0);
  return next >= 0 && next < o.count ? next : at;
}
