// Encoded media as values: formats, frame tables, records, NAL units, parameter sets, fMP4. It does
// no I/O, keeps no clock and decodes no picture.

export { FrameTable } from './frame-table.js';
export type { FrameDropReason, FrameSink, TrackName, VideoCodec, VideoFormat } from './frame.js';
export { RECORD_HEADROOM_BYTES, type MediaRecord } from './record.js';
