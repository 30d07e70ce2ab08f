// G.711 as FLAC, for browsers, none of which knows G.711: every sample as ITU-T G.711 decodes it,
// uncompressed in 16 bits (RFC 9639), so that neither side needs an encoder.

import type { AudioFormat } from './audio-format.js';
import { fullBox, u16, u32, zeros } from './fmp4-box.js';

const STREAM_INFO_BYTES = 34;
const LAST_BLOCK = 0x80_00_00_00;
const BITS = 16;
/** Of a block of samples (RFC 9639, 8.2). */
const LEAST_SAMPLES = 16;
const MOST_SAMPLES = 65_535;
/** Blocks of varying size, each with the number of its first sample. */
const SYNC = 0xff_f9;
/** The header has 16 bits for the size of its block. */
const SIZE_FOLLOWS = 0x70;
/** Others are in STREAMINFO alone. */
const RATES: Readonly<Record<number, number>> = {
  ...{ 88_200: 1, 8000: 4, 16_000: 5, 22_050: 6, 24_000: 7 },
  ...{ 32_000: 8, 44_100: 9, 48_000: 10, 96_000: 11 },
};
const SIXTEEN_BITS = 8;
const VERBATIM = 2;
const SAMPLE_NUMBERS = 2 ** 36;

/** `dfLa` of the sample entry `fLaC` (FLAC in ISO BMFF, 3.3.2), with STREAMINFO and nothing else. */
export function flacConfigBox({ sampleRate, channels }: AudioFormat): Buffer {
  return fullBox(
    'dfLa',
    {},
    u32(LAST_BLOCK + STREAM_INFO_BYTES),
    u16(LEAST_SAMPLES, MOST_SAMPLES),
    // The sizes of frames are not told, nor, behind the rate, how many samples there are, nor their MD5.
    zeros(6),
    u32(sampleRate * 2 ** 12 + (channels - 1) * 2 ** 9 + (BITS - 1) * 2 ** 4),
    zeros(4 + 16),
  );
}

export class G711ToFlac {
  readonly #format: AudioFormat;
  readonly #values: Int16Array;

  constructor(format: AudioFormat) {
    this.#format = format;
    this.#values = format.codec === 'pcmu' ? ULAW : ALAW;
  }

  /** The FLAC frame of the samples in `bytes`, of which the first is heard at `at90k`. */
  frame(bytes: Uint8Array, at90k: number): Buffer {
    const { sampleRate, channels } = this.#format;
    const samples = Math.min(MOST_SAMPLES, Math.floor(bytes.length / channels));
    const number = codedNumber(Math.round((at90k * sampleRate) / 90_000) % SAMPLE_NUMBERS);
    const headerBytes = 4 + number.length + 3;
    const frame = Buffer.alloc(headerBytes + channels * (1 + samples * 2) + 2);
    let at = frame.writeUInt16BE(SYNC);
    at = frame.writeUInt8(SIZE_FOLLOWS | (RATES[sampleRate] ?? 0), at);
    at = frame.writeUInt8(((channels - 1) << 4) | SIXTEEN_BITS, at);
    at += number.copy(frame, at);
    at = frame.writeUInt16BE(samples - 1, at);
    at = frame.writeUInt8(crc8(frame.subarray(0, at)), at);
    for (let channel = 0; channel < channels; channel++) {
      at = frame.writeUInt8(VERBATIM, at);
      for (let sample = channel; sample < samples * channels; sample += channels) {
        at = frame.writeInt16BE(this.#values[bytes[sample] ?? 0] ?? 0, at);
      }
    }
    frame.writeUInt16BE(crc16(frame.subarray(0, at)), at);
    return frame;
  }
}

const ALAW = Int16Array.from({ length: 256 }, (_, code) => {
  const bits = code ^ 0x55;
  const [mantissa, segment] = [(bits & 15) << 4, (bits >> 4) & 7];
  const size = segment === 0 ? mantissa + 8 : (mantissa + 0x108) << (segment - 1);
  return (bits & 0x80) === 0 ? -size : size;
});

const ULAW = Int16Array.from({ length: 256 }, (_, code) => {
  const bits = ~code;
  const size = ((((bits & 15) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;
  return (bits & 0x80) === 0 ? size : -size;
});

/** As UTF-8 codes characters, but up to 36 bits (RFC 9639, 9.1.5). */
function codedNumber(value: number): Buffer {
  if (value < 0x80) return Buffer.from([value]);
  const rest: number[] = [];
  let lead = value;
  // Each byte behind the first takes six bits, and one of the first to tell that it is there.
  while (lead >= 2 ** (6 - rest.length)) {
    rest.unshift(0x80 | (lead % 64));
    lead = Math.floor(lead / 64);
  }
  return Buffer.from([((0xff << (7 - rest.length)) & 0xff) | lead, ...rest]);
}

const CRC8 = table(8, 0x07);
const CRC16 = table(16, 0x8005);

function table(bits: number, polynomial: number): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, byte) => {
    let value = byte << (bits - 8);
    for (let bit = 0; bit < 8; bit++) {
      const carry = (value >> (bits - 1)) & 1;
      value = ((value << 1) ^ (carry * polynomial)) & (2 ** bits - 1);
    }
    return value;
  });
}

function crc8(bytes: Uint8Array): number {
  let value = 0;
  for (const byte of bytes) value = CRC8[value ^ byte] ?? 0;
  return value;
}

function crc16(bytes: Uint8Array): number {
  let value = 0;
  for (const byte of bytes) value = ((value << 8) & 0xff00) ^ (CRC16[(value >> 8) ^ byte] ?? 0);
  return value;
}
