// Encoded media as values: formats, frame tables, records, NAL units, parameter sets, fMP4. It does
// no I/O, keeps no clock and decodes no picture.

export {
  ADTS_BYTES,
  adtsHeader,
  audioSamples,
  MAX_ADTS_PAYLOAD_BYTES,
  setAdtsLength,
} from './adts.js';
export {
  aacFormat,
  AUDIO_CODECS,
  AudioFrameClock,
  isAudioCodec,
  isG711,
  plainAudioFormat,
  type AudioCodec,
  type AudioFormat,
  type AudioMoment,
  type AudioSink,
} from './audio-format.js';
export type { G711Form } from './audio-sample-entry.js';
export {
  fragmentDuration90k,
  patchNalLengths,
  writeFragmentHead,
  type FragmentFrames,
  type FragmentOptions,
} from './fmp4-fragment.js';
export { joinFmp4, type Fmp4JoinPart } from './fmp4-join.js';
export {
  FMP4_AUDIO_TRACK_ID,
  FMP4_TIMESCALE,
  FMP4_TRACK_ID,
  writeFmp4Init,
  type Fmp4InitOptions,
} from './fmp4-init.js';
export { G711ToFlac } from './g711-flac.js';
export { silentFrame } from './silence.js';
export { FrameTable } from './frame-table.js';
export type {
  FrameDropReason,
  FrameSink,
  MediaCodec,
  MediaFormat,
  TrackName,
  VideoCodec,
  VideoFormat,
} from './frame.js';
export {
  isFirstSlice,
  nalHeaderBytes,
  nalKind,
  nalType,
  slicePpsId,
  splitAnnexB,
  type NalKind,
} from './nal-unit.js';
export { ParameterSets } from './parameter-sets.js';
export { RECORD_HEADROOM_BYTES, type MediaRecord } from './record.js';
