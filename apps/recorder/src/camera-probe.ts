// A look at a camera that is not declared yet, by its stream's address or by its ONVIF door.

import { toNightjarError, type Clock } from '#base';
import type { ProbeInput, ProbeItem, ProbeResult } from '#contract';
import { OnvifCamera, summarize, type DeviceSummary, type OnvifProfile } from '#onvif';
import { probeCamera } from '#pipeline';

const DEVICE_DEADLINE_MS = 10_000;

/** Never throws for what is wrong with the camera: that is the answer. */
export async function probe(input: ProbeInput, clock: Clock): Promise<ProbeResult> {
  const { url, onvif, transport } = input;
  if (onvif !== undefined) return probeOnvif(onvif, transport, clock);
  return probeCamera({ url: url ?? '', transport }, clock);
}

async function probeOnvif(
  access: NonNullable<ProbeInput['onvif']>,
  transport: ProbeInput['transport'],
  clock: Clock,
): Promise<ProbeResult> {
  let device: DeviceSummary;
  try {
    const camera = await OnvifCamera.connect({ ...access, deadlineMs: DEVICE_DEADLINE_MS });
    device = summarize(camera);
    camera.close();
  } catch (error) {
    const { code, message } = toNightjarError(error);
    const reachable = code !== 'unavailable' && code !== 'timeout';
    const refused: ProbeItem[] =
      code === 'unauthenticated'
        ? [{ item: 'credentials', grade: 'poor', found: 'refused by ONVIF', advice: message }]
        : [];
    return { reachable, grade: 'unusable', advice: [message], items: refused };
  }
  const main = device.profiles.find(({ token }) => token === device.main);
  const sub = device.profiles.find(({ token }) => token === device.sub);
  if (main === undefined) {
    const advice = 'the camera offers no H.264 or H.265 profile: create one on its own web page';
    return { reachable: true, grade: 'unusable', advice: [advice], items: [], onvif: device };
  }
  const look = (profile: OnvifProfile) => {
    const { groupFrames, fps } = profile;
    const url = withCredentials(profile.streamUrl, access);
    const { clockOffsetMs } = device;
    return probeCamera({ url, transport, groupFrames, fps, clockOffsetMs }, clock);
  };
  const [found, small] = await Promise.all([look(main), sub === undefined ? undefined : look(sub)]);
  const { refusal, ...probed } = found;
  const items: ProbeItem[] = [
    ...credentialItems(refusal),
    ...addressItems(main),
    ...device.quirks.map(({ camera, fault, remedy }): ProbeItem => ({
      item: 'camera',
      grade: 'good',
      found: `${camera}: ${fault}; ${remedy}`,
    })),
  ];
  const advice = items.flatMap((item) => (item.advice === undefined ? [] : [item.advice]));
  const subProbe = small === undefined ? undefined : { ...small, refusal: undefined };
  return {
    ...probed,
    grade: probed.grade === 'good' && advice.length > 0 ? 'usable' : probed.grade,
    // The refusal of a stream comes first, and says less than what is known here.
    advice: [...advice, ...probed.advice],
    items: [...items, ...probed.items],
    onvif: device,
    ...(subProbe === undefined ? {} : { sub: subProbe }),
  };
}

function credentialItems(refusal: string | undefined): ProbeItem[] {
  if (refusal === undefined) {
    return [{ item: 'credentials', grade: 'good', found: 'taken by ONVIF and by the stream' }];
  }
  if (refusal !== 'unauthenticated') return [];
  return [
    {
      item: 'credentials',
      grade: 'poor',
      found: 'taken by ONVIF, refused by the stream',
      advice:
        'ONVIF takes these credentials and the stream refuses them: some cameras check no password ' +
        'in ONVIF, and many have ONVIF users of their own; give the camera’s own user',
    },
  ];
}

function addressItems({ namedHost }: OnvifProfile): ProbeItem[] {
  if (namedHost === undefined) return [];
  const named = namedHost === '' ? 'no host' : namedHost;
  return [
    {
      item: 'address',
      grade: 'good',
      found: `the camera names ${named} for its stream; the host that was given is asked instead`,
    },
  ];
}

function withCredentials(
  streamUrl: string,
  { username, password }: { username?: string | undefined; password?: string | undefined },
): string {
  if (username === undefined || username === '') return streamUrl;
  const user = [username, password ?? ''].map(encodeURIComponent).join(':');
  return streamUrl.replace('://', `://${user}@`);
}
