// Finds ONVIF cameras, asks them what they offer, and moves them. It wraps the npm package `onvif`
// with a transport of its own, so that every call has a deadline and a hostile answer is an error
// and nothing worse. It keeps no list of cameras, stores no password and opens no stream.

export { discoverCameras, type DiscoveryOptions } from './discovery.js';
export type { FoundCamera } from './found-cameras.js';
export { summarize, type DeviceSummary } from './device-summary.js';
export {
  EventSource,
  type EventSourceCounters,
  type EventSourceOptions,
  type EventSourceState,
} from './event-source.js';
export type { OnvifDeviceInfo } from './introduction.js';
export {
  OnvifCamera,
  type OnvifAddress,
  type OnvifPreset,
  type OnvifProfile,
  type PtzVelocity,
} from './onvif-camera.js';
export { PtzDriver, type PtzDriverOptions, type PtzMotors, type PtzOutcome } from './ptz-driver.js';
export { QUIRKS, quirksOf, type Behaviour, type FoundQuirks, type Quirk } from './quirks.js';
export { chooseStreams, type StreamChoice } from './stream-choice.js';
