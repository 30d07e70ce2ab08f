// Folds records into group rows: the one place that says which records make a group.

import type { RecordedGroup, WrittenRecord } from './chunk-info.js';

/**
 * Gives the groups that `records` (in the order they were written, of one track) begin or grow.
 * `open` is the row of the group that the first record may go on with: the last row of the fold
 * before, or what the timeline holds at `groupStartUnixUs`. A record whose group's beginning is not
 * here gives no row, since nobody could play it.
 */
export function foldGroups(
  records: readonly WrittenRecord[],
  open?: RecordedGroup,
): RecordedGroup[] {
  const rows: RecordedGroup[] = [];
  let last = open;
  for (const { chunk, offset, length, record } of records) {
    const endUnixUs = record.startUnixUs + Math.round((record.duration90k * 100) / 9);
    if (record.startsGroup) {
      last = {
        camera: chunk.camera,
        track: chunk.track,
        startUnixUs: record.startUnixUs,
        durationUs: endUnixUs - record.startUnixUs,
        run: record.run,
        chunkId: chunk.id,
        offset,
        length,
        frameCount: record.frameCount,
        startDts90k: record.startDts90k,
      };
      rows.push(last);
    } else if (
      last !== undefined &&
      last.chunkId === chunk.id &&
      last.run === record.run &&
      last.startUnixUs === record.groupStartUnixUs &&
      last.offset + last.length === offset
    ) {
      const grown = {
        ...last,
        durationUs: Math.max(last.durationUs, endUnixUs - last.startUnixUs),
        length: last.length + length,
        frameCount: last.frameCount + record.frameCount,
      };
      if (rows.at(-1) === last) rows.pop();
      rows.push(grown);
      last = grown;
    }
  }
  return rows;
}
