// Frames in, motion out. The recorder's side is a cheap proxy: it picks frames, copies them into a
// pipe and reads answers; pixels are decoded in child processes, so that a crash or a stall there
// cannot touch recording. The service owns its processes, a channel belongs to whoever opened it.
// This room never blocks, writes no file, keeps no footage and knows no camera by name.

export {
  CELL_BYTES,
  CELL_COLUMNS,
  CELL_ROWS,
  type MotionChannel,
  type MotionChannelCounters,
  type MotionChannelOptions,
  type MotionPolygon,
  type MotionSample,
  type MotionSettings,
  type MotionState,
} from './channel-types.js';
export { MotionService, type DetectorStatus, type MotionServiceOptions } from './motion-service.js';
