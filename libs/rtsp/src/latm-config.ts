// The StreamMuxConfig of MP4A-LATM (RFC 3016, 5.3; ISO/IEC 14496-3, 1.7.3), as cameras send it.

export interface LatmConfig {
  readonly audioConfig: Uint8Array;
  /** Access units in each AudioMuxElement. */
  readonly subFrames: number;
}

/** How many bits of an AudioSpecificConfig of AAC-LC there are: object type, rate, channels, GA flags. */
const PLAIN_CONFIG_BITS = 16;
const SBR_CONFIG_BITS = 25;

/** Undefined for anything but one program with one layer of AAC in version 0 of the syntax. */
export function parseLatmConfig(bytes: Uint8Array): LatmConfig | undefined {
  let at = 0;
  const bits = (count: number) => {
    let value = 0;
    for (let index = 0; index < count; index++, at++) {
      value = value * 2 + (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    }
    return value;
  };
  const version = bits(1);
  const sameTiming = bits(1);
  const subFrames = bits(6) + 1;
  const programs = bits(4) + 1;
  const layers = bits(3) + 1;
  if (version !== 0 || sameTiming !== 1 || programs !== 1 || layers !== 1) return undefined;
  const start = at;
  const objectType = bits(5);
  const rateIndex = bits(4);
  if (rateIndex === 15) return undefined;
  const sbr = objectType === 5 || objectType === 29;
  if (!sbr && (objectType < 1 || objectType > 4)) return undefined;
  const count = sbr ? SBR_CONFIG_BITS : PLAIN_CONFIG_BITS;
  at = start;
  const audioConfig = new Uint8Array(Math.ceil(count / 8));
  for (let index = 0; index < count; index++) {
    audioConfig[index >> 3] = (audioConfig[index >> 3] ?? 0) | (bits(1) << (7 - (index & 7)));
  }
  // frameLengthType 0: each payload says its length.
  if (bits(3) !== 0 || at > bytes.length * 8) return undefined;
  return { audioConfig, subFrames };
}
