// Makes one fragmented MP4 out of several that follow each other in time, without touching a frame:
// one initialisation with every sample entry, and fragments whose times go on where the last ended.

import { NightjarError } from '#base';
import { boxesOf, BoxStream, findBox, type Box } from './box-reader.js';
import { box, fullBox, u32 } from './fmp4-box.js';

const MOVIE_TIMESCALE = 90_000;
/** The boxes on the way from a track to its sample entries. */
const CONTAINERS = new Set(['trak', 'mdia', 'minf', 'stbl']);

export interface Fmp4JoinPart {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** What passes between the end of the part before and the start of this one. */
  readonly seamUs?: number;
}

/** A track of the whole, known by what it carries. */
interface JoinedTrack {
  readonly id: number;
  readonly timescale: number;
  readonly trak: Buffer;
  /** What fragments of the track need not say. */
  readonly trex: Buffer;
  readonly entries: Buffer[];
  width: number;
  height: number;
}

/** What becomes of a track of one part: its id and its sample entries in the whole. */
interface PlacedTrack {
  readonly track: JoinedTrack;
  /** By the entry in the part, from 1. */
  readonly entryOf: readonly number[];
}

/**
 * The whole, piece by piece, at the reader's pace. All parts are opened first, since the first bytes
 * name what any of them holds. Throws `data-loss` for what is no fragmented MP4 of this house.
 */
export async function* joinFmp4(parts: readonly Fmp4JoinPart[]): AsyncGenerator<Buffer> {
  const streams = parts.map(({ bytes }) => new BoxStream(bytes));
  try {
    const inits: { ftyp: Buffer; moov: Buffer }[] = [];
    for (const stream of streams) inits.push(await readInit(stream));
    const join = new Join(inits.map(({ moov }) => moov));
    const [first] = inits;
    if (first === undefined) return;
    yield Buffer.concat([first.ftyp, join.moov()]);
    for (const [index, stream] of streams.entries()) {
      join.begin(index, parts[index]?.seamUs ?? 0);
      for (;;) {
        const next = await stream.next();
        if (next === undefined) break;
        if ('payload' in next) {
          yield next.header;
          yield* next.payload;
        } else if (next.type === 'moof') {
          join.place(next.bytes);
          yield next.bytes;
        }
      }
    }
  } finally {
    await Promise.allSettled(streams.map((stream) => stream.close()));
  }
}

class Join {
  readonly #tracks = new Map<string, JoinedTrack>();
  readonly #placed: Map<number, PlacedTrack>[] = [];
  readonly #mvhd: Buffer;
  #part = 0;
  #sequence = 0;
  /** Where the part that is being read begins, and where the latest track ends, in movie ticks. */
  #start = 0;
  #end = 0;

  constructor(moovs: readonly Buffer[]) {
    this.#mvhd = need(moovs[0] ?? Buffer.alloc(0), 'mvhd').bytes;
    for (const moov of moovs) {
      const traks = boxesOf(moov).filter(({ type }) => type === 'trak');
      const defaults = boxesOf(need(moov, 'mvex').body).filter(({ type }) => type === 'trex');
      this.#placed.push(new Map(traks.map((trak) => this.#add(trak.bytes, defaults))));
    }
  }

  moov(): Buffer {
    const tracks = [...this.#tracks.values()];
    const mvhd = Buffer.from(this.#mvhd);
    mvhd.writeUInt32BE(tracks.length + 1, mvhd.length - 4);
    const trex = tracks.map((track) => {
      const own = Buffer.from(track.trex);
      own.writeUInt32BE(track.id, 12);
      return own;
    });
    return box('moov', mvhd, ...tracks.map(rewritten), box('mvex', ...trex));
  }

  begin(part: number, seamUs: number): void {
    this.#part = part;
    this.#start = this.#end + Math.round((seamUs * MOVIE_TIMESCALE) / 1_000_000);
  }

  /** Patches the fragment's numbers in place. */
  place(moof: Buffer): void {
    const inside = boxesOf(moof.subarray(8));
    const mfhd = inside.find(({ type }) => type === 'mfhd');
    this.#sequence += 1;
    mfhd?.body.writeUInt32BE(this.#sequence, 4);
    for (const traf of inside.filter(({ type }) => type === 'traf')) this.#placeTrack(traf);
  }

  #placeTrack(traf: Box): void {
    const tfhd = need(traf.body, 'tfhd').body;
    const placed = this.#placed[this.#part]?.get(tfhd.readUInt32BE(4));
    if (placed === undefined) throw notOurs('a fragment of no known track');
    const { track, entryOf } = placed;
    tfhd.writeUInt32BE(track.id, 4);
    const flags = tfhd.readUInt32BE(0) & 0xffffff;
    const at = 8 + ((flags & 0x1) !== 0 ? 8 : 0);
    const named = (flags & 0x2) !== 0 ? tfhd.readUInt32BE(at) : 1;
    const entry = entryOf[named - 1];
    if (entry === undefined) throw notOurs('a fragment of no known sample entry');
    if ((flags & 0x2) !== 0) tfhd.writeUInt32BE(entry, at);
    else if (entry !== 1) throw notOurs('a fragment that does not name its sample entry');
    const defaultAt = at + ((flags & 0x2) !== 0 ? 4 : 0);
    const defaultTicks =
      (flags & 0x8) !== 0 ? tfhd.readUInt32BE(defaultAt) : track.trex.readUInt32BE(20);

    const tfdt = need(traf.body, 'tfdt').body;
    const isLong = tfdt.readUInt8(0) === 1;
    const own = isLong ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4);
    const startTicks = own + Math.round((this.#start * track.timescale) / MOVIE_TIMESCALE);
    if (isLong) tfdt.writeBigUInt64BE(BigInt(startTicks), 4);
    else tfdt.writeUInt32BE(startTicks, 4);
    const ticks = boxesOf(traf.body)
      .filter(({ type }) => type === 'trun')
      .reduce((sum, { body }) => sum + durationOf(body, defaultTicks), 0);
    const end = Math.round(((startTicks + ticks) * MOVIE_TIMESCALE) / track.timescale);
    this.#end = Math.max(this.#end, end);
  }

  /** The id of the track in its part, and what becomes of it. */
  #add(trak: Buffer, defaults: readonly Box[]): [number, PlacedTrack] {
    const body = trak.subarray(8);
    const tkhd = need(body, 'tkhd').body;
    const mdhd = need(body, 'mdia', 'mdhd').body;
    const kind = need(body, 'mdia', 'hdlr').body.toString('latin1', 8, 12);
    const timescale = mdhd.readUInt32BE(mdhd.readUInt8(0) === 1 ? 20 : 12);
    const key = `${kind} ${timescale}`;
    const id = tkhd.readUInt32BE(idAt(tkhd));
    const trex = defaults.find(({ body: own }) => own.readUInt32BE(4) === id);
    if (trex === undefined) throw notOurs('a track without defaults');
    const track = this.#tracks.get(key) ?? {
      id: this.#tracks.size + 1,
      timescale,
      trak,
      trex: trex.bytes,
      entries: [],
      width: 0,
      height: 0,
    };
    this.#tracks.set(key, track);
    track.width = Math.max(track.width, tkhd.readUInt32BE(tkhd.length - 8));
    track.height = Math.max(track.height, tkhd.readUInt32BE(tkhd.length - 4));
    const stsd = need(body, 'mdia', 'minf', 'stbl', 'stsd').body;
    const entryOf = boxesOf(stsd.subarray(8)).map(({ bytes }) => {
      const known = track.entries.findIndex((entry) => entry.equals(bytes));
      return known >= 0 ? known + 1 : track.entries.push(bytes);
    });
    return [id, { track, entryOf }];
  }
}

/** The track's box with the id, the size and the sample entries that it has in the whole. */
function rewritten(track: JoinedTrack): Buffer {
  const copy = ({ type, bytes, body }: Box): Buffer => {
    if (CONTAINERS.has(type)) return box(type, ...boxesOf(body).map(copy));
    if (type === 'stsd') {
      return fullBox('stsd', {}, u32(track.entries.length), ...track.entries);
    }
    if (type !== 'tkhd') return bytes;
    const tkhd = Buffer.from(bytes);
    tkhd.writeUInt32BE(track.id, 8 + idAt(body));
    tkhd.writeUInt32BE(track.width, tkhd.length - 8);
    tkhd.writeUInt32BE(track.height, tkhd.length - 4);
    return tkhd;
  };
  return Buffer.concat(boxesOf(track.trak).map(copy));
}

/** Where the id stands in the body of a `tkhd`. */
function idAt(tkhd: Buffer): number {
  return tkhd.readUInt8(0) === 1 ? 20 : 12;
}

function durationOf(trun: Buffer, defaultTicks: number): number {
  const flags = trun.readUInt32BE(0) & 0xffffff;
  const count = trun.readUInt32BE(4);
  if ((flags & 0x100) === 0) return count * defaultTicks;
  const first = 8 + ((flags & 0x1) !== 0 ? 4 : 0) + ((flags & 0x4) !== 0 ? 4 : 0);
  const fields = [0x100, 0x200, 0x400, 0x800].filter((flag) => (flags & flag) !== 0).length;
  let ticks = 0;
  for (let index = 0; index < count; index++)
    ticks += trun.readUInt32BE(first + index * fields * 4);
  return ticks;
}

async function readInit(stream: BoxStream): Promise<{ ftyp: Buffer; moov: Buffer }> {
  let ftyp: Buffer = Buffer.alloc(0);
  for (;;) {
    const next = await stream.next();
    if (next === undefined || 'payload' in next) throw notOurs('no initialisation');
    if (next.type === 'ftyp') ftyp = next.bytes;
    if (next.type === 'moov') return { ftyp, moov: next.bytes.subarray(8) };
  }
}

function need(bytes: Buffer, ...path: readonly string[]): Box {
  const found = findBox(bytes, ...path);
  if (found === undefined) throw notOurs(`no ${path.join('/')}`);
  return found;
}

function notOurs(found: string): NightjarError {
  return new NightjarError('data-loss', `expected a fragmented MP4 of a recorder, found ${found}`);
}
