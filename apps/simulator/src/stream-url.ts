// What an RTSP URL names: a stream's path, and faults for this session alone in its query.

import type { SessionFaults } from './play-session.js';

export interface StreamUrl {
  /** Without slashes around it and without the track's control part. */
  readonly path: string;
  readonly faults: SessionFaults;
}

/**
 * `rtsp://host/gate/sub?drop-every=100&stall-after=5&close-after=5&garbage-after=5&start=mid`; the
 * times are seconds of play.
 */
export function parseStreamUrl(url: string): StreamUrl {
  const bare = url.replace(/\/?trackID=\d+$/, '').replace(/\/+$/, '');
  const [place = '', query = ''] = bare.split('?');
  const path = place.replace(/^rtsp:\/\/[^/]*/i, '').replace(/^\/+|\/+$/g, '');
  const parameters = new URLSearchParams(query.replace(/\/+$/, ''));
  const number = (name: string): number | undefined => {
    const value = Number(parameters.get(name) ?? NaN);
    return value > 0 ? value : undefined;
  };
  const dropEvery = number('drop-every');
  const stall = number('stall-after');
  const close = number('close-after');
  const garbage = number('garbage-after');
  return {
    path,
    faults: {
      ...(dropEvery === undefined ? {} : { dropEvery }),
      ...(stall === undefined ? {} : { stallAfterMs: stall * 1000 }),
      ...(close === undefined ? {} : { closeAfterMs: close * 1000 }),
      ...(garbage === undefined ? {} : { garbageAfterMs: garbage * 1000 }),
      ...(parameters.get('start') === 'mid' ? { startsMidGroup: true } : {}),
    },
  };
}
