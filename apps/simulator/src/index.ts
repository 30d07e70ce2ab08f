// Cameras that do not exist: footage drawn by procedure or read from a file, served by RTSP to as
// many clients as a benchmark wants, and moved by ONVIF. For the demo, tests and benchmarks only;
// nothing that records or shows footage depends on it.

export { Clip, type ClipDescription, type ClipFrame, type ClipGroup } from './clip.js';
export type { Credentials } from './digest-gate.js';
export type { Pacing } from './rtp-packets.js';
export type { DeviceFaults } from './onvif-device.js';
export type { EventFaults, OnvifEvents } from './onvif-events.js';
export type { OnvifServer } from './onvif-server.js';
export type { PtzCommandName, PtzHead, PtzLogEntry, PtzPreset, PtzVector } from './ptz-head.js';
export type { RtspServer } from './rtsp-server.js';
export { makeClip, type MakeClipOptions } from './scene-clip.js';
export { Simulator, startSimulator, type SimulatorOptions } from './simulator.js';
export type { Faults, SessionEnd, SimulatedStream } from './stream.js';
