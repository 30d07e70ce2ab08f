// Which events a camera announces, so that one that will never tell of movement is known at once.

import type { GuardedCam } from './guarded-cam.js';
import { isMotionTopic } from './motion-topics.js';
import type { SoapNode } from './soap-node.js';

const EVENTS = 'http://www.onvif.org/ver10/events/wsdl';
const MOST_DEPTH = 8;
const MOST_TOPICS = 2000;

/** Undefined when the camera announces nothing at all. Throws what `GuardedCam.call` throws. */
export async function announcesMotion(
  cam: GuardedCam,
  limits: { deadlineMs: number; signal: AbortSignal },
): Promise<boolean | undefined> {
  const { node } = await cam.send(
    {
      action: `${EVENTS}/EventPortType/GetEventPropertiesRequest`,
      to: { service: 'events' },
      body: `<GetEventProperties xmlns="${EVENTS}"/>`,
    },
    limits,
  );
  const topics: string[] = [];
  collect(node.at('getEventPropertiesResponse', 'topicSet'), [], topics);
  return topics.length === 0 ? undefined : topics.some(isMotionTopic);
}

function collect(node: SoapNode, path: readonly string[], topics: string[]): void {
  if (path.length > MOST_DEPTH) return;
  for (const [name, child] of node.elements) {
    if (topics.length >= MOST_TOPICS) return;
    const below = [...path, name];
    if (
      child.attributes.some(([key, value]) => /(^|:)topic$/.test(key) && /^(true|1)$/i.test(value))
    ) {
      topics.push(below.join('/'));
    }
    collect(child, below, topics);
  }
}
