// What a missing second is called and how it is coloured: quiet when intended, loud when not.

import type { GapReason } from '#contract';

interface GapStyle {
  readonly color: string;
  /** A sentence for the tooltip. */
  readonly text: string;
  /** A word or two for the legend. */
  readonly label: string;
  /** Declared by somebody, so not a fault. */
  readonly intended: boolean;
}

export const GAP_STYLE: Readonly<Record<GapReason, GapStyle>> = {
  'no-motion': {
    color: '#1a2027',
    label: 'No motion',
    text: 'Nothing moved, so nothing was kept.',
    intended: true,
  },
  off: {
    color: '#2b333d',
    label: 'Off',
    text: 'Recording was switched off.',
    intended: true,
  },
  expired: {
    color: '#232a33',
    label: 'Expired',
    text: 'Deleted when its retention ended.',
    intended: true,
  },
  'no-space-policy': {
    color: '#6b5a86',
    label: 'Space rule',
    text: 'Deleted or not kept by the rule for full disks.',
    intended: true,
  },
  restart: {
    color: '#7b68a6',
    label: 'Restart',
    text: 'The recorder was restarting.',
    intended: false,
  },
  moved: {
    color: '#5f5a8c',
    label: 'Moved',
    text: 'The camera was being handed to another recorder.',
    intended: false,
  },
  'recorder-away': {
    color: '#8a5a2b',
    label: 'Recorder away',
    text: 'The recorder that may have this footage does not answer.',
    intended: false,
  },
  'camera-down': {
    color: '#a8433f',
    label: 'Camera down',
    text: 'The camera did not answer. Check its power and its cable.',
    intended: false,
  },
  network: {
    color: '#b8653a',
    label: 'Network',
    text: 'The network lost the camera. Check the switch and the cable.',
    intended: false,
  },
  authentication: {
    color: '#a63d66',
    label: 'Password refused',
    text: 'The camera refused its user name or password. Correct them in the camera’s settings.',
    intended: false,
  },
  'unsupported-stream': {
    color: '#8c5a3c',
    label: 'Unsupported stream',
    text: 'The camera sent a stream that cannot be recorded. Set it to H.264 or H.265.',
    intended: false,
  },
  'disk-full': {
    color: '#c93a5b',
    label: 'Disk full',
    text: 'The disk was full. Add space or shorten retention.',
    intended: false,
  },
  'disk-too-slow': {
    color: '#c95a3a',
    label: 'Disk too slow',
    text: 'The disk could not keep up. Spread the cameras over more disks.',
    intended: false,
  },
  'disk-error': {
    color: '#d1303f',
    label: 'Disk error',
    text: 'The disk reported an error. Replace it before it fails.',
    intended: false,
  },
  damaged: {
    color: '#e0483a',
    label: 'Damaged',
    text: 'It was recorded, but its bytes on the disk are damaged. Replace the disk.',
    intended: false,
  },
  unknown: {
    color: '#5a4a4a',
    label: 'Unknown',
    text: 'No recording, and no reason was noted.',
    intended: false,
  },
};
