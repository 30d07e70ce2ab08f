// A frame without sound, to stand where the recording has none: players stop at holes.

import type { AudioFormat } from './audio-format.js';

/** AAC-LC of no energy: one channel element, or a pair of them. */
const AAC_MONO = Buffer.from('00c800802380', 'hex');
const AAC_STEREO = Buffer.from('210049900219002380', 'hex');
const OPUS_MONO = Buffer.from('f8fffe', 'hex');
const OPUS_STEREO = Buffer.from('fcfffe', 'hex');
const G711_FRAMES_A_SECOND = 50;

/** Undefined for AAC with more channels than two. */
export function silentFrame({ codec, channels, sampleRate }: AudioFormat): Buffer | undefined {
  switch (codec) {
    case 'aac':
      return channels === 1 ? AAC_MONO : channels === 2 ? AAC_STEREO : undefined;
    case 'opus':
      return channels === 1 ? OPUS_MONO : OPUS_STEREO;
    case 'pcmu':
    case 'pcma': {
      const samples = Math.round(sampleRate / G711_FRAMES_A_SECOND) * channels;
      return Buffer.alloc(samples, codec === 'pcmu' ? 0xff : 0xd5);
    }
  }
}
