// Which events of a camera mean that something moves.

import type { SoapNode } from './soap-node.js';

export interface MotionNotification {
  /** Tells alarms of one camera apart: topic, source and rule. */
  readonly key: string;
  readonly topic: string;
  readonly active: boolean;
  /** It has no end of its own: a line was crossed. */
  readonly momentary: boolean;
}

interface Topic {
  /** Matched to the topic's path without namespaces. */
  readonly path: RegExp;
  /** The names of the item that says whether it is so; without any, the message itself is the news. */
  readonly items: readonly string[];
}

/** ONVIF's own topics, then those of makers. */
const TOPICS: readonly Topic[] = [
  { path: /^RuleEngine\/CellMotionDetector\/Motion$/, items: ['IsMotion'] },
  { path: /^RuleEngine\/MotionRegionDetector\/Motion$/, items: ['State'] },
  { path: /^VideoSource\/MotionAlarm$/, items: ['State'] },
  { path: /^VideoAnalytics\/Motion(Detection)?$/, items: ['State', 'motion', 'Value'] },
  { path: /^RuleEngine\/FieldDetector\/ObjectsInside$/, items: ['IsInside'] },
  // A crossing is a moment: the standard gives it no state.
  { path: /^RuleEngine\/LineDetector\/Crossed$/, items: [] },
  // Hikvision.
  { path: /^VideoAnalytics\/MotionAlarm$/, items: ['State'] },
  // Dahua and those who build on it.
  {
    path: /^RuleEngine\/(TPSmartEvent|LineCrossDetector)\/\w+$/,
    items: ['IsTPSmartEvent', 'IsLineCross', 'State'],
  },
  // Reolink, TP-Link Tapo: people, vehicles, animals.
  { path: /^RuleEngine\/MyRuleDetector\/\w+$/, items: ['State'] },
  {
    path: /^RuleEngine\/(PeopleDetector\/People|TPSmartEventDetector\/TPSmartEvent)$/,
    items: ['IsPeople', 'IsTPSmartEvent', 'IsVehicle', 'IsPet'],
  },
  { path: /^UserAlarm\/IVA\/HumanShapeDetect$/, items: ['IsHumanShapeDetect', 'State'] },
  // Axis: video motion detection in the camera's applications, and a passive infrared sensor.
  { path: /^CameraApplicationPlatform\/[\w-]+\/Camera\dProfile\w+$/, items: ['active'] },
  { path: /^Device\/Sensor\/PIR$/, items: ['state'] },
];

const NO_MOTION = /(?:Visitor|Package|Tamper)$/;
const MOST_ITEMS = 32;
const MOST_TEXT = 256;

/** `path` is without namespaces. */
export function isMotionTopic(path: string): boolean {
  return topicOf(path) !== undefined;
}

function topicOf(path: string): Topic | undefined {
  return NO_MOTION.test(path) ? undefined : TOPICS.find((one) => one.path.test(path));
}

/** Undefined for an event that says nothing of movement. */
export function readMotion(notification: SoapNode): MotionNotification | undefined {
  const written = (notification.at('topic').text ?? '').slice(0, MOST_TEXT);
  // `tns1:RuleEngine/tnsaxis:X/Motion//.` is what some cameras write.
  const path = written.replace(/[/.\s]+$/, '').replace(/(^|\/)[\w-]+:/g, '$1');
  const topic = topicOf(path);
  if (topic === undefined) return undefined;
  const message = notification.at('message', 'message');
  const data = itemsOf(message.at('data'));
  const source = itemsOf(message.at('source'))
    .concat(itemsOf(message.at('key')))
    .map(([name, value]) => `${name}=${value}`)
    .sort();
  const key = [path, ...source].join(' ').slice(0, MOST_TEXT * 2);
  const momentary = topic.items.length === 0;
  const told = { key, topic: path, momentary };
  if (message.attribute('PropertyOperation') === 'Deleted') return { ...told, active: false };
  if (momentary) return { ...told, active: true };
  const state = data.find(([name]) =>
    topic.items.some((item) => item.toLowerCase() === name.toLowerCase()),
  );
  const active = state === undefined ? undefined : booleanOf(state[1]);
  return active === undefined ? undefined : { ...told, active };
}

function itemsOf(node: SoapNode): [name: string, value: string][] {
  return node
    .all('simpleItem')
    .slice(0, MOST_ITEMS)
    .map((item) => [
      (item.attribute('Name') ?? '').slice(0, MOST_TEXT),
      (item.attribute('Value') ?? '').slice(0, MOST_TEXT),
    ]);
}

/** Hikvision writes `TRUE`, Axis `1`. */
function booleanOf(text: string): boolean | undefined {
  if (/^(true|1)$/i.test(text.trim())) return true;
  return /^(false|0)$/i.test(text.trim()) ? false : undefined;
}
