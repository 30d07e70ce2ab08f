// How the server uses the ONVIF room: discovery, device description, and one connection to move a
// camera by.

import { NightjarError } from '#base';
import type { OnvifAccess } from '#catalog';
import type { DiscoveredCamera, OnvifDevice } from '#contract';
import type { OnvifRoom } from './discovery.js';
import type { MovableCamera } from './ptz-desk.js';

export const onvifRoom: OnvifRoom & { connect(access: OnvifAccess): Promise<MovableCamera> } = {
  discover: (): Promise<DiscoveredCamera[]> => Promise.resolve([]),
  describe: (_access): Promise<OnvifDevice> =>
    Promise.reject(new NightjarError('unavailable', 'not wired')),
  connect: () => Promise.reject(new NightjarError('unavailable', 'not wired')),
};
