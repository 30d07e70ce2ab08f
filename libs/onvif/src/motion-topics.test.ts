// Events as makers send them, and what of them is movement.

import { readMotion } from './motion-topics.js';
import { parseSoap } from './soap-answer.js';

function read(topic: string, data: string, more: { source?: string; operation?: string } = {}) {
  const { source = '<tt:SimpleItem Name="Source" Value="1"/>', operation = 'Changed' } = more;
  const xml =
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><tev:PullMessagesResponse>' +
    `<wsnt:NotificationMessage><wsnt:Topic Dialect="x">${topic}</wsnt:Topic><wsnt:Message>` +
    `<tt:Message UtcTime="2026-01-01T00:00:00Z" PropertyOperation="${operation}"><tt:Source>${source}</tt:Source>` +
    `<tt:Data>${data}</tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage></tev:PullMessagesResponse></s:Body></s:Envelope>`;
  const [notification] = parseSoap(xml, 200)
    .node.at('pullMessagesResponse')
    .all('notificationMessage');
  return notification === undefined ? undefined : readMotion(notification);
}

const item = (name: string, value: string): string =>
  `<tt:SimpleItem Name="${name}" Value="${value}"/>`;

test.each([
  ['the standard', 'tns1:RuleEngine/CellMotionDetector/Motion', item('IsMotion', 'true')],
  ['with a tail', 'tns1:RuleEngine/CellMotionDetector/Motion//.', item('IsMotion', 'true')],
  ['a video source', 'tns1:VideoSource/MotionAlarm', item('State', 'true')],
  [
    'a field',
    'tns1:RuleEngine/FieldDetector/ObjectsInside',
    item('ObjectId', '7') + item('IsInside', 'true'),
  ],
  ['Hikvision', 'tns1:VideoAnalytics/tnshik:MotionAlarm', item('State', 'TRUE')],
  ['Axis', 'tnsaxis:CameraApplicationPlatform/VMD/Camera1ProfileANY', item('active', '1')],
  ['Axis, infrared', 'tns1:Device/tnsaxis:Sensor/PIR', item('state', '1')],
  ['Reolink', 'tns1:RuleEngine/MyRuleDetector/PeopleDetect', item('State', 'true')],
  ['Tapo', 'tns1:RuleEngine/PeopleDetector/People', item('IsPeople', 'true')],
  ['a person', 'tns1:UserAlarm/IVA/HumanShapeDetect', item('State', 'true')],
])('%s', (_name, topic, data) => {
  expect(read(topic, data)).toMatchObject({ active: true, momentary: false });
  const off = data
    .replace(/TRUE/, 'FALSE')
    .replace(/"true"/, '"false"')
    .replace(/"1"/, '"0"');
  expect(read(topic, off)).toMatchObject({ active: false });
  // What is deleted is over.
  expect(read(topic, data, { operation: 'Deleted' })).toMatchObject({ active: false });
});

test('a crossing is a moment', () => {
  expect(read('tns1:RuleEngine/LineDetector/Crossed', item('ObjectId', '3'))).toMatchObject({
    active: true,
    momentary: true,
  });
});

test.each([
  ['tns1:RuleEngine/TamperDetector/Tamper', item('IsTamper', 'true')],
  ['tns1:RuleEngine/MyRuleDetector/Visitor', item('State', 'true')],
  ['tns1:Device/Trigger/Relay', item('LogicalState', 'true')],
  ['tns1:VideoSource/MotionAlarm', item('Other', 'true')],
])('%s is no movement', (topic, data) => {
  expect(read(topic, data)).toBeUndefined();
});

test('alarms of two rules are two, whatever the order in which their items come', () => {
  const topic = 'tns1:RuleEngine/CellMotionDetector/Motion';
  const [a, b] = [item('Rule', 'a'), item('Rule', 'b')];
  const keys = [a, b].map((source) => read(topic, item('IsMotion', 'true'), { source })?.key);
  expect(new Set(keys).size).toBe(2);
  const two = [a + item('Token', '1'), item('Token', '1') + a];
  expect(
    new Set(two.map((source) => read(topic, item('IsMotion', 'true'), { source })?.key)).size,
  ).toBe(1);
});
