// Turns recorded video into what a person can see now: renditions of slices at another size, and
// stills. Pictures are decoded and encoded by FFmpeg inside the process (node-av), on a GPU where one
// was seen to work, else on the CPU; this belongs in a process of its own, away from ingest. It takes
// and gives bytes in memory: it opens no file and no socket, and knows nothing of recorders.

export type { EncodePathName } from './encode-path.js';
export { readFmp4Stream, type Fmp4Piece } from './fmp4-stream.js';
export { detectHardware, type HardwareAttempt, type HardwareReport } from './hardware.js';
export type { PictureSize } from './picture-size.js';
export {
  Transcoder,
  type RenditionResult,
  type SliceRequest,
  type StillRequest,
  type TrackRequest,
  type TranscoderOptions,
  type TranscoderStatus,
} from './transcoder.js';
