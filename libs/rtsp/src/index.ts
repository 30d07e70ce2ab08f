// Speaks to a camera (RTSP 1.0, RTP over TCP or UDP) and puts the NAL units of its video into a
// sink, byte by byte, access unit by access unit. This room owns sockets, sessions, passwords on
// the wire, the order of packets, and the pauses between attempts. The listener owns the frames:
// no byte is kept here once its callback has returned. It never decodes, stores or repairs a
// picture, and never writes a password to a log or a message.

export { AccessUnits } from './access-units.js';
export { CameraStream } from './camera-stream.js';
export { FloodGate } from './flood-gate.js';
export type { GroupLengths } from './probe-sink.js';
export { ReadTurns } from './read-turns.js';
export { probeStream, type ProbeOptions, type StreamProbe } from './probe-stream.js';
export { RtpTimeline } from './rtp-timeline.js';
export { countIn, newCounters } from './stream-face.js';
export type {
  AudioCounters,
  RtspTransport,
  StreamCounters,
  StreamEnd,
  StreamEndReason,
  StreamInfo,
  StreamListener,
  StreamOptions,
} from './stream-face.js';
