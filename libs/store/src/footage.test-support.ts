// Footage for tests: ten frames of a moving test picture in two groups of five, 5 frames a second,
// 64 pixels wide, made by x264 and x265; and records, synthetic or of these frames.

import { FrameTable, RECORD_HEADROOM_BYTES, type MediaRecord, type VideoCodec } from '#media';

/** Annex-B with four-byte start codes. */
const STREAMS: Readonly<Record<VideoCodec, string>> = {
  h264:
    'AAAAAWf0AAqRiYREewEQAAADABAAAAMAoPEiYRgAAAABaOhDA5ESEQAAAAFliIIT/9I6DE/qpfiV4mdoehAngxBb3cS2' +
    'jqxB/9rqDxvsEBhKvM2nGld9ANRTOKf7UG+nwfVX14OD6pqFO5xw3fY+1fKmcqfcbCz+gE8KR9gFMUUf99pi/wG2kAtm' +
    '//uvsmXGjz3ksS9C4Lbyr9aArYk56yG7o2rSgXbfVnrXOrsIuMgp/qY7FVNqOpqfrv8qPvkJ5EAl02wYYCQSaQqliCIV' +
    'ISafnGLQlGyurD09Fm5cBsKQRTJj26a5gUxYFR6Eo85ohxIzgD8HXWpDBJGE2rkcpoVnQ1C7PuTEhsHMIxgmoGTK0aks' +
    'mDLaTFINBthg/nB+C70EQ3epkv0I/rBPXye14wIeQsAwU8zS+uhlUpzHlmrx0Pbt0shPuxqD5zruxBqZBcz6G2DRO7SJ' +
    'egpPChSTn3WMnDQpsrUi2SbnRlcp/dqi112JjR+6YgGrwNqbl3MAAAABQZodib9vt5xhpuTI09kD62WumTmjB6dyVBx7' +
    'mA1GxAaTk+PjZGr3GfwAAAABQZor8EGTKYTfbxX72uzT38YK1rj++3l+51RWE3J5+YBQVoQCSeRT5qOxlWY7s3qUs9QZ' +
    'APsiQlXJ8xm4owi1AAAAAUGaOTwQeTKYE39vFcUjjn//x0bCgbJioNONa8LzPtrMaeZ6mDgC6X8QU/wQ12Esqhkv0IOz' +
    'p5+7tet6ooxIoSAReRcJ+J6gjYAAAAABQZpJfBB+TKYBN28V/A56VNNur61QSOO2yKHrtrunS9JVX/gw/UZkZAcWIigS' +
    'YdcpVcnzIr/3KAmrwxePiotwaBa/G4K6WuBhpnoSPPUAAAABZ/QACpGJhER7ARAAAAMAEAAAAwCg8SJhGAAAAAFo6EMD' +
    'kRIRAAAAAWWIgR/RVincudI+2exBQ61/k2NJZxCauRNqmEn/3VxZz3VkGrRd4x5z2ZlUlMmEzmN/TCFuOypJRfgpH+nm' +
    'JePQnEjL1f7cxbEn0dh2ZUZ/QCcwHewCmEvn6hf9t/gNuogaon+4bdZc+ydrPmDzDHpZyEN8DjeTUjIf7htOocKOKcE5' +
    '3oIrPnodYYIVQDZ5aGttTbV5kiebg7xe3CeCk3M2MiYfZD41e9diwHfIf+0lBBQLcQSyjI/oUTXnrI5zNSfRf+ktfOXC' +
    'QXIhqbZkGIdpbJBylD00DM0/aeJNX9n322FjozaD5pahBA7KvND04hVIYpLkGzL+HYhQy3CEih95JLQczTo/7Pe//aaf' +
    'JeyxDwANceMIXV+iWKGHOd6+wt3DROWXcmw6l8BYKmv89epT3uIaQ99bmb8mSW4HNeUxgyFdOuXgbJ1ynfNikhIG5LyP' +
    'J5RCKQrnwg7GJn1IH4EAAAABQZodib/d8RFPDSIJLOduhyvkRA3sGao7yEvghl6M+0zPhAmo2ft5jt1BAAAAAUGaK/BB' +
    'kymER+DIFiD59OLzeuPOHo2bgYL3RChx00Ope1sdLDjsPWwDsiTPKvGf7SoeL0VtcPfz5QVwk7lLdbMKkQAAAAFBmjk8' +
    'EHkymBFfzaqVP3v76L3jShLkuJL1vzgChJIWRuz9kqZvQXo4uTiCt+cCZp4VCMUr69s9fkshtlJ9i49ndYKXepPUNGAR' +
    'aqbrFuJXE+/sxJUhUNSI+wAAAAFBmkl8EH5MpgEd/4pr57lCdRoUzLyNfQeWQKyxceGFWEdEJyILv+Bubyc9aVwGqvSM' +
    'MHt/bpBKGfk2Y+4TIA==',
  h265:
    'AAAAAUABDAH//wQIAAADAJ4IAAADAAAekoCQAAAAAUIBAQQIAAADAJ4IAAADAAAekAQQILLJUkmV4C3AgIABAAADAAEA' +
    'AAMABQgAAAABRAHBcoYMQiQAAAABKAGvBNg3///JvPQsfdhbAiwtIcR/xnFb3Z4RSHzoEPryuytE/8JZLrDLLcKz5vRe' +
    'xpoabTByxZ/uDmuzHLn5J0rFNE4dzAlNKuYJnR/FEcYXLt9OY9xSI+J1GCPkEKyMR9qCUUHnq1vs/wwHylOGdWmGHzMu' +
    'dlEp0za9guOIcyUb3DuvC16BhelenXAhOcyL9Gz5NOjpDvlCQlHsdydw+UKy60fEehWAqcjExxBs/ALXuV+fIfqJQwpm' +
    'CcMCBRmoma7QK0iBTzN599flcYX/D8ZCJ72xK2q+idZTDrOnFEDwCWNauCx9cfflZ0IPPHRS1o4emYtNktzOJ01g/JXd' +
    'Ws63qQAaqa4e13DvmRkh2ojsBM1fi+VQcKDfl6ELwTaBVaXQrmDEnpgAAAABAgHQCX4QxgmwNR/+hXhVJLQmqKNuSgG1' +
    'xKe+AAAAAQIB0BH/1EMGCZBqPytOLWi/6npIUNI53fQNMS52yhYoAAAAAQIB0Bif/cQwGCZA/m0N5TYAAAABAgHQIJ/9' +
    'xDAYJsDT3iFaG8OU1RH8It+Nt0dL4+daiKzoJiTeAAAAAUABDAH//wQIAAADAJ4IAAADAAAekoCQAAAAAUIBAQQIAAAD' +
    'AJ4IAAADAAAekAQQILLJUkmV4C3AgIABAAADAAEAAAMABQgAAAABRAHBcoYMQiQAAAABKgGsFE1cESBtmkncbAyfImrv' +
    'wpRc9S/9IrxmF7jrhbshjs4w8f0CHvLSWWkixlO24QlCT/31f+IM0D7hqjSiN9eMjXWzlMQwBUeZWrH7lp2vevbqS1GR' +
    'QaIMjmrfhlXXC9KnDW6AMrAeD7i8CAWsaYl5Rot0HH2C8gWvmciDGUBJNYjQaYjB8Ay10N6sLBbTW2DmTk0B+j5Yw+0C' +
    'wDYZR4gMG5CzLbU/Swgk5BsVz10ci2v5rAjCKUcNwzKIfLbW6WOaBC7ju2BVj4LmH4uJafPuoxk49NOjqHIitbRPB0xZ' +
    'KqpugWQAeiszVLCRInDvxqK5NLxYJZZnEsgDsqAAhGPj10f8SjXWzfiF/LkhsX2eDqk0pQ1jNac7a7NQyDAlb5atJWqD' +
    'D0+6672mdR/wxgAAAAECAdAxfhDGCbA0w3EZF1Kua5bhth3wAAAAAQIB0Dn/1EMGCZDT4GqWRnrQUHYn+KxoAAAAAQIB' +
    '0ECf/cQwGCZA0+Bqlo1rcjM01G/LmTXdXwAAAAECAdBIn/3EMBgmwNPgapaNiwSkuS1R5/A=',
};

/** Sizes of the NAL units of each frame, without start codes. */
const FRAMES: Readonly<Record<VideoCodec, readonly (readonly number[])[]>> = {
  h264: [[25, 7, 339], [41], [63], [73], [77], [25, 7, 352], [42], [66], [89], [62]],
  h265: [[23, 43, 8, 296], [27], [32], [16], [36], [23, 43, 8, 304], [22], [23], [27], [24]],
};

const TICKS_A_FRAME = 18_000;
const FRAMES_A_GROUP = 5;
export const GROUP_US = 1_000_000;
export const CAMERA = '7d1f6c1e-93a1-4c5e-8a39-0d4f0e6b2a11';
export const OTHER_CAMERA = '1b0c7c52-4a0e-4f7b-9f6d-5a3f2e1d0c9b';
/** 2026-01-01T00:00:00Z. */
export const START_UNIX_US = 1_767_225_600_000_000;

export interface RecordOptions {
  /** Counts frames of the endless repetition of the stream. */
  readonly firstFrame: number;
  readonly frameCount: number;
  readonly codec?: VideoCodec;
  readonly run?: number;
  readonly startUnixUs?: number;
  /** Zero bytes in front of the payload; RECORD_HEADROOM_BYTES if absent. */
  readonly headroomBytes?: number;
}

/** A record of real frames that lie within one group; frame 0 is at START_UNIX_US. */
export function realRecord(options: RecordOptions): MediaRecord {
  const { firstFrame, frameCount, codec = 'h264', run = 1 } = options;
  const { startUnixUs = START_UNIX_US, headroomBytes = RECORD_HEADROOM_BYTES } = options;
  const stream = Buffer.from(STREAMS[codec], 'base64');
  const sizes = FRAMES[codec];
  const frames = new FrameTable();
  const parts: Buffer[] = [Buffer.alloc(headroomBytes)];
  for (let frame = firstFrame; frame < firstFrame + frameCount; frame++) {
    const inStream = frame % sizes.length;
    const before = sizes.slice(0, inStream).flat();
    let at = before.reduce((sum, size) => sum + size + 4, 0);
    for (const size of sizes[inStream] ?? []) {
      frames.addNal(size);
      parts.push(stream.subarray(at, at + 4 + size));
      at += 4 + size;
    }
    frames.endFrame(frame % FRAMES_A_GROUP === 0, TICKS_A_FRAME, 0);
  }
  const buffer = Buffer.concat(parts);
  const group = Math.floor(firstFrame / FRAMES_A_GROUP);
  return {
    run,
    sequence: firstFrame,
    startsGroup: firstFrame % FRAMES_A_GROUP === 0,
    groupStartUnixUs: startUnixUs + group * GROUP_US,
    startUnixUs: startUnixUs + (firstFrame * GROUP_US) / FRAMES_A_GROUP,
    startDts90k: firstFrame * TICKS_A_FRAME,
    format: {
      codec,
      width: 64,
      height: codec === 'h264' ? 48 : 64,
      parameterSets: [],
      codecString: '',
      reorderFrames: 0,
    },
    frames,
    buffer,
    payloadStart: headroomBytes,
    payloadEnd: buffer.length,
  };
}

/** A frame table as a plain value that can be compared. */
export function columnsOf(frames: FrameTable): string {
  const rows: string[] = [];
  for (let frame = 0; frame < frames.count; frame++) {
    const sizes: number[] = [];
    for (let nal = frames.firstNalOf(frame); nal < frames.firstNalOf(frame + 1); nal++) {
      sizes.push(frames.nalSizeOf(nal));
    }
    const key = frames.isKey(frame) ? 'key' : '';
    rows.push(`${key} ${frames.durationOf(frame)} ${frames.ctsOffsetOf(frame)} ${sizes.join('+')}`);
  }
  return rows.join('\n');
}

/** Numbers in [0, 1) that are the same in every run (xorshift32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
