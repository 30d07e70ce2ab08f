// Keeps the newest parameter sets of a stream by id, and tells the format that a picture uses.

import type { VideoCodec, VideoFormat } from './frame.js';
import { parseH264Pps, parseH264Sps } from './h264-sps.js';
import { parseH265Pps, parseH265Sps, parseH265Vps } from './h265-sps.js';
import { nalType } from './nal-unit.js';
import type { SpsFacts } from './sps-facts.js';

interface Sps extends SpsFacts {
  readonly nal: Uint8Array;
  readonly vpsId?: number;
}

interface Pps {
  readonly nal: Uint8Array;
  readonly spsId: number;
}

/** No camera needs more; a hostile one gets no more. */
const MAX_SETS_OF_A_KIND = 32;
const MAX_SET_BYTES = 8192;

export class ParameterSets {
  readonly codec: VideoCodec;
  readonly #vps = new Map<number, Uint8Array>();
  readonly #sps = new Map<number, Sps>();
  readonly #pps = new Map<number, Pps>();
  #latestSps: number | undefined;
  #formats = new Map<number | undefined, VideoFormat>();
  #version = 0;

  constructor(codec: VideoCodec) {
    this.codec = codec;
  }

  /** Counts changes: as long as it stands, no format has changed. */
  get version(): number {
    return this.#version;
  }

  /**
   * Takes a parameter set (copied when it is new). `unchanged` when the same bytes are known
   * already, `ignored` when it is not one that can be read.
   */
  put(nal: Uint8Array): 'changed' | 'unchanged' | 'ignored' {
    if (nal.length > MAX_SET_BYTES) return 'ignored';
    if (this.#isKnown(nal)) return 'unchanged';
    const copy = Uint8Array.from(nal);
    try {
      if (!this.#keep(copy)) return 'ignored';
    } catch {
      return 'ignored';
    }
    this.#version += 1;
    this.#formats.clear();
    return 'changed';
  }

  /**
   * The format of a picture that names `ppsId`; without an id, of the SPS that came last. Undefined
   * as long as sets are missing. The same object is returned until a set changes.
   */
  format(ppsId?: number): VideoFormat | undefined {
    const known = this.#formats.get(ppsId);
    if (known !== undefined) return known;
    const spsId =
      (ppsId === undefined ? undefined : this.#pps.get(ppsId)?.spsId) ?? this.#latestSps;
    const sps = spsId === undefined ? undefined : this.#sps.get(spsId);
    if (sps === undefined) return undefined;
    const pps = [...this.#pps.values()].filter((set) => set.spsId === sps.id);
    if (pps.length === 0) return undefined;
    const sets = [sps.nal, ...pps.map((set) => set.nal)];
    if (this.codec === 'h265') {
      const vps = this.#vps.get(sps.vpsId ?? 0);
      if (vps === undefined) return undefined;
      sets.unshift(vps);
    }
    const format: VideoFormat = {
      codec: this.codec,
      width: sps.width,
      height: sps.height,
      parameterSets: sets,
      codecString: sps.codecString,
      reorderFrames: sps.reorderFrames ?? 0,
      ...(sps.nominalFps === undefined ? {} : { nominalFps: sps.nominalFps }),
    };
    this.#formats.set(ppsId, format);
    return format;
  }

  /** Whether the SPS leaves open if frames are reordered, so that their times must tell. */
  reorderingIsOpen(format: VideoFormat): boolean {
    for (const sps of this.#sps.values()) {
      if (format.parameterSets.includes(sps.nal)) return sps.reorderFrames === undefined;
    }
    return false;
  }

  /** Compares with what is kept, so that a camera that repeats its sets costs no parsing. */
  #isKnown(nal: Uint8Array): boolean {
    for (const sps of this.#sps.values()) if (equal(sps.nal, nal)) return true;
    for (const pps of this.#pps.values()) if (equal(pps.nal, nal)) return true;
    for (const vps of this.#vps.values()) if (equal(vps, nal)) return true;
    return false;
  }

  #keep(nal: Uint8Array): boolean {
    const type = nalType(this.codec, nal[0] ?? 0);
    if (type === (this.codec === 'h264' ? 7 : 33)) {
      const facts = this.codec === 'h264' ? parseH264Sps(nal) : parseH265Sps(nal);
      if (!keepBounded(this.#sps, facts.id, { ...facts, nal })) return false;
      this.#latestSps = facts.id;
      return true;
    }
    if (type === (this.codec === 'h264' ? 8 : 34)) {
      const { id, spsId } = this.codec === 'h264' ? parseH264Pps(nal) : parseH265Pps(nal);
      return keepBounded(this.#pps, id, { nal, spsId });
    }
    return (
      this.codec === 'h265' && type === 32 && keepBounded(this.#vps, parseH265Vps(nal).id, nal)
    );
  }
}

function keepBounded<T>(map: Map<number, T>, id: number, value: T): boolean {
  if (!map.has(id) && map.size >= MAX_SETS_OF_A_KIND) return false;
  map.set(id, value);
  return true;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
