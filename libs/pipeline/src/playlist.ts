// HLS (RFC 8216) over what is on disk: slices with the same bounds on every machine.

import type { GroupRow } from '#timeline';
import { endOf } from './footage.js';

/** Presentation units: `floor(utcMs / sliceMs)`, moved to the key frame at or before. */
export const SLICE_MS = 4000;
/** Groups further apart do not play on without a break. */
const SEAM_US = 200_000;

export interface Slice {
  readonly groups: readonly GroupRow[];
  /** Another run, track or time follows: the player's clock must be set anew. */
  readonly discontinuity: boolean;
  /** Another initialisation applies. */
  readonly newInit: boolean;
  readonly durationUs: number;
}

/** Which slice a group belongs to: the one whose bound it holds, or follows. */
export function sliceIndexOf(group: GroupRow, sliceMs = SLICE_MS): number {
  return Math.floor((endOf(group) - 1) / 1000 / sliceMs);
}

export function slicesOf(groups: readonly GroupRow[], sliceMs = SLICE_MS): Slice[] {
  const slices: Slice[] = [];
  let open: GroupRow[] = [];
  let discontinuity = false;
  let newInit = true;
  const close = (next: GroupRow | undefined) => {
    const first = open[0];
    const last = open.at(-1);
    if (first === undefined || last === undefined) return;
    // A seam shorter than a frame or two belongs to the picture before it.
    const ends = next !== undefined && follows(last, next) ? next.startUnixUs : endOf(last);
    const durationUs = Math.max(1000, ends - first.startUnixUs);
    slices.push({ groups: open, discontinuity, newInit, durationUs });
    open = [];
  };
  for (const group of groups) {
    const last = open.at(-1);
    if (last !== undefined) {
      const on = follows(last, group);
      if (!on || sliceIndexOf(last, sliceMs) !== sliceIndexOf(group, sliceMs)) {
        close(group);
        discontinuity = !on;
        newInit = last.run !== group.run || last.track !== group.track;
      }
    }
    open.push(group);
  }
  close(undefined);
  return slices;
}

function follows(a: GroupRow, b: GroupRow): boolean {
  return a.run === b.run && a.track === b.track && b.startUnixUs - endOf(a) < SEAM_US;
}

/** `queries` (`&rendition=480p`), one per slice, end the addresses of the playlist. */
export function writePlaylist(
  slices: readonly Slice[],
  fromUnixUs: number,
  queries: readonly string[] = [],
): string {
  const first = slices[0]?.groups[0];
  const longestUs = Math.max(1_000_000, ...slices.map((slice) => slice.durationUs));
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${Math.ceil(longestUs / 1_000_000)}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    '#EXT-X-INDEPENDENT-SEGMENTS',
  ];
  const offsetUs = first === undefined ? 0 : fromUnixUs - first.startUnixUs;
  if (offsetUs > 0) lines.push(`#EXT-X-START:TIME-OFFSET=${seconds(offsetUs)},PRECISE=YES`);
  for (const [index, slice] of slices.entries()) {
    const query = queries[index] ?? '';
    const group = slice.groups[0] as GroupRow;
    const last = slice.groups.at(-1) as GroupRow;
    if (slice.discontinuity) lines.push('#EXT-X-DISCONTINUITY');
    if (slice.newInit) {
      lines.push(
        `#EXT-X-MAP:URI="init.mp4?track=${group.track}&from=${group.startUnixUs}${query}"`,
      );
    }
    lines.push(
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(Math.round(group.startUnixUs / 1000)).toISOString()}`,
      `#EXTINF:${seconds(slice.durationUs)},`,
      // A group that still grows has another address when it has grown.
      `slice.m4s?track=${group.track}&from=${group.startUnixUs}&last=${last.startUnixUs}` +
        `&to=${endOf(last)}${query}`,
    );
  }
  lines.push('#EXT-X-ENDLIST', '');
  return lines.join('\n');
}

function seconds(us: number): string {
  return (us / 1_000_000).toFixed(6);
}
