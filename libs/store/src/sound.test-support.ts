// Sound for tests: sixteen frames of a real AAC tone (16 kHz, mono), and records of any codec.

import {
  aacFormat,
  FrameTable,
  plainAudioFormat,
  RECORD_HEADROOM_BYTES,
  type AudioCodec,
  type AudioFormat,
  type MediaRecord,
} from '#media';
import { START_UNIX_US } from './footage.test-support.js';

/** ADTS frames, made by ffmpeg's encoder. */
const TONE =
  '//FgQBTf/N4CAExhdmM1OS4zNy4xMDAAAkSeUxho9UrPHzX31BNxJERIg611Xq3Vdq4zx7jPYus9i+B6t6L1rynhuU9C7DPV' +
  'nJaCmuvQds/35/Br/X+PQ007PRslSyT62UqlKoyuwmwxkxkaRpGkmeZ5gYGRAwMbNm5USKWU2bNyyyyyyyyyyyyyyyyyyyyy' +
  'yyyyyyyyyyyyyyyyyyyyyyyyyyyy8P/xYEASf/wBBJTaCXUEurJdWU6f/6P/v+PN6mtfn//V/9/1641bjn//J/6/z1riXe//' +
  '8f/n/jzrUnAS8Z7nnnnngl5Mn9KXVo8pJ0qYqd6ed6ed6ed7mnenUp5M5zqee5qs/eo59+ez99CdJ2Qtvc3O9PzvQ873y+j3' +
  'y+n0Z8jvPJ89lX059I+3RqJAwMDEhzINn//xYEAOn/wA+O8oRDohPEzP+3eP2n46mrmtWuXJdXvqUE1m2rKlzzx38z7wjJ8N' +
  'ogmZEEFj5r58qNBTyo0FB7++gfHxmDvuQyfBhn99AyfDYz+8IyfGYZ/fQH/jMHffQh/4msKfxLB9vC7/w/geTwix/FPg//Fg' +
  'QAw//ADwLxjSJiHJ19pM//5V//71mq45VJvrXPjjjnWuwzs+OHXIbs5kztXTWzspfwP4iDzd2NeNdLs7Ezs4Eyx1akWgnFMw' +
  's5tJgisRWKpHOSg9YimYmYimaCcWj//xYEAMH/wA7i8QzjQpwX4Sv/7f/j//tLk47lDjW/FpaAJCflP1maY5N+d/zf5uqNn4' +
  'Hmg8/m59n+Y9NNNMcmgXNmtFqp4GYxLHuphOKieJnMCZUg9ZPEuQZSobScXteP/xYEAL//wA7C8Q1jYZyOc1X/9z+v//01mt' +
  '5F8/E8FkgssvDC16AZqz+ufTNWgFeT5MmEoAjN2NbBlZOsLBwpHApFyK5BYwsxySK6YIMhFY2U4PaJ4EiLMUD2ScXt+A//Fg' +
  'QAx//ADyLyBMRxMQZPb5y3/+mf/+dS61mSqcfHjtK41yAiCKjSo7J2diN2ra2mulyK+t/3k7uuumumRnZzdnN2vWG/wKRVU0' +
  'KmFIwqFUoKqaGcgoTSOBBYzMpoSLpRae//FgQAzf/ADuLxjSKhnNObrP/7X/H//aSkqrb1Ou8Lzig7OzzSUOzphNJNJNJokm' +
  'qQ6b/pfEyajeqrDQq4lyS5cOdnZ5OzwlCLTO61jxUjyyRcgqYneMTOUTP8CWFcqkYUzTTi3n//FgQAyf/ADoLxC2VBHJnMk/' +
  '/u/8f/7tbuVmsqTh3FWA9t0Bui0YHqP+TYGNgGALjreq/iwCnIzaGtoa3InAyIGB32SKhFvE8DKYmc8mQXILEHgmFli0kz5F' +
  'LGzGJMoF04vbcP/xYEAMX/wA6C8Y0igYoUIqVyV//nv//zqsXMZdzrnu5u+NjHCnCmukWdnvtprpfHdTXSpv/Pf95oHZaW6k' +
  '3VGBFIIl69c1CxFYgqQWHpEgQTUuxE1C6UUyKxBQ0KGNKK3A//FgQA0//ADmLxjWJiHJfzD/+n4//j8yKoy848+/fkzoMcNG' +
  'Hh2+H5Z2fGSaSaWbVo1aBAEOrZYG8AHq1TSerV6pJpJpJnYZh2uPYbRFZLGyEWY2kyhAIrFWeC5F9qniCKZBM9x34vke//Fg' +
  'QA0//ADkLxjWNhmdUGNXhrf/9L7f//9Kwl+JrjXrv2qEAAKwsSQsLEsLl8u/xyzncAbkmJ2CuAKbijraP96W55LBwsDAJlSL' +
  'QO63JBMeQIFBQICQgNhiBQIHnoXsXMCRRM9gnFu+//FgQA0//ADqLyDSKBkI4uPlp//0/f//zqc8bityvbW8y5l2EUkUqNKj' +
  'ygiCJFSKUmyoyrGyRTHO/p8zk6axlWMqWkikiqeeaf16lUoqJ0XIpGykUSKpVeYMaRRKL+GdwKplQ+ud+L2v//FgQAy//ADq' +
  'LxjWNhHM97lf/3vX//tKrU5vel+fXOpU1yMMcJsMcNDo6PM7STappJpEAE0/Al8TyASC/nCrapqppGdtnZJGylFcgyEGc9Ek' +
  'EorEWcgzwaSRopQWMSRBI0k4r8D/8WBADR/8AOgvCExLGwzcpG6qV//Vz//zqryblTHs5M1ICERYjCxZCxLl0yzyzmAEfq9B' +
  'FbQBMEPdC3/fV6cpYWFhYeGeDkkV0qpmNY5yUFEgYHphFliqkV6IK0Gg5BYVISOYYyLzwP/xYEANf/wA7i8Y0igZvcJjceq1' +
  'P/8n1//7uJzLrd89Ju5Mmgzm+OGuRiMqXMqfPz3e7z67y/O/eKPi6tlJssNKFKFIerq/a6vpPaqEXt4u6zEGYqmUIKJVTMLJ' +
  'FspQPPI2gY0iKZ5Mi+U4';
const TONE_FRAME_BYTES: readonly number[] = [
  166, 147, 116, 97, 96, 95, 99, 102, 100, 98, 105, 105, 105, 101, 104, 107,
];
const AAC_TICKS = 5760;
const FRAMES_A_RECORD = 4;

export const AAC_FORMAT = aacFormat(Buffer.from('1408', 'hex')) as AudioFormat;

export function audioFormat(codec: AudioCodec): AudioFormat {
  if (codec === 'aac') return AAC_FORMAT;
  return plainAudioFormat(codec, codec === 'opus' ? 48_000 : 8000, codec === 'opus' ? 2 : 1);
}

/** Four frames, a quarter of a second or less; every second record starts a group. */
export function audioRecord(index: number, codec: AudioCodec = 'aac'): MediaRecord {
  const frames = new FrameTable(0);
  const parts: Buffer[] = [Buffer.alloc(RECORD_HEADROOM_BYTES)];
  const tone = Buffer.from(TONE, 'base64');
  const ticks = codec === 'aac' ? AAC_TICKS : 1800;
  for (let step = 0; step < FRAMES_A_RECORD; step++) {
    const frame = (index * FRAMES_A_RECORD + step) % TONE_FRAME_BYTES.length;
    const at = TONE_FRAME_BYTES.slice(0, frame).reduce((sum, size) => sum + size, 0);
    const sizeBytes = TONE_FRAME_BYTES[frame] ?? 0;
    const bytes =
      codec === 'aac' ? tone.subarray(at, at + sizeBytes) : Buffer.alloc(160, 0x80 + index + step);
    frames.addNal(bytes.length);
    frames.endFrame(true, ticks, 0);
    parts.push(bytes);
  }
  const buffer = Buffer.concat(parts);
  const startUs = (at: number) =>
    START_UNIX_US + Math.round((at * FRAMES_A_RECORD * ticks * 100) / 9);
  return {
    run: 1,
    sequence: index,
    startsGroup: index % 2 === 0,
    groupStartUnixUs: startUs(index - (index % 2)),
    startUnixUs: startUs(index),
    startDts90k: index * FRAMES_A_RECORD * ticks,
    format: audioFormat(codec),
    frames,
    buffer,
    payloadStart: RECORD_HEADROOM_BYTES,
    payloadEnd: buffer.length,
  };
}
