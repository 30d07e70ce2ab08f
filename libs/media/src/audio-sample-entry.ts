// Sample entries of sound: mp4a with esds (ISO/IEC 14496-14, 5.6), Opus with dOps (Opus in ISOBMFF,
// 4.3), and G.711 as QuickTime has it (`ulaw`, `alaw`) or, for browsers, as fLaC with dfLa.

import { isG711, type AudioFormat } from './audio-format.js';
import { box, fullBox, u16, u32, u8, zeros } from './fmp4-box.js';
import { flacConfigBox } from './g711-flac.js';

const ES_DESCRIPTOR = 3;
const DECODER_CONFIG = 4;
const DECODER_SPECIFIC = 5;
const SL_CONFIG = 6;

/** How frames of G.711 are laid into the file. */
export type G711Form = 'as-recorded' | 'flac';

export function audioSampleEntry(format: AudioFormat, g711: G711Form = 'as-recorded'): Buffer {
  const isFlac = g711 === 'flac' && isG711(format);
  const types = { aac: 'mp4a', opus: 'Opus', pcmu: 'ulaw', pcma: 'alaw' };
  const type = isFlac ? 'fLaC' : types[format.codec];
  // The rate has 16 bits in front of its point: above them it is left to the codec.
  const rate = format.sampleRate <= 65_535 ? format.sampleRate : 0;
  return box(
    type,
    zeros(6),
    u16(1),
    zeros(8),
    u16(format.channels, 16, 0, 0),
    u32(rate * 65_536),
    ...(isFlac ? [flacConfigBox(format)] : configBox(format)),
  );
}

function configBox(format: AudioFormat): Buffer[] {
  if (format.codec === 'aac') return [esds(format)];
  if (format.codec !== 'opus') return [];
  const { channels } = format;
  return [box('dOps', u8(0, channels), u16(0), u32(48_000), u16(0), u8(0))];
}

function esds({ config }: AudioFormat): Buffer {
  const specific = descriptor(DECODER_SPECIFIC, Buffer.from(config));
  // MPEG-4 audio, an audio stream; buffer and bit rates are not known.
  const decoder = descriptor(
    DECODER_CONFIG,
    Buffer.concat([u8(0x40, 0x15, 0, 0, 0), u32(0, 0), specific]),
  );
  const sync = descriptor(SL_CONFIG, u8(2));
  const stream = descriptor(ES_DESCRIPTOR, Buffer.concat([u16(0), u8(0), decoder, sync]));
  return fullBox('esds', {}, stream);
}

/** Lengths stay below 128: one byte. */
function descriptor(tag: number, content: Buffer): Buffer {
  return Buffer.concat([u8(tag, content.length), content]);
}
