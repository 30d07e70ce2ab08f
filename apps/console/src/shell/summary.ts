// What the header says about cameras, recording and disks: few words, worst first in colour.

import type { Camera, CameraStatus, Health } from '#contract';
import { toSentence } from '../format.js';
import { alarmsOf } from './alarms.js';

interface SummaryItem {
  readonly text: string;
  readonly hint: string;
  readonly level: 'ok' | 'quiet' | 'warn' | 'bad';
  readonly to: string;
}

interface House {
  readonly cameras: readonly Pick<Camera, 'id' | 'name'>[];
  readonly statuses: ReadonlyMap<string, CameraStatus>;
  readonly health: Health;
  readonly serverAnswers: boolean;
}

export function summarise(house: House): SummaryItem[] {
  if (!house.serverAnswers) {
    return [
      {
        text: 'Server does not answer',
        hint: 'Recording goes on without it. Check the network; this page keeps trying.',
        level: 'bad',
        to: '/',
      },
    ];
  }
  const items: SummaryItem[] = [];
  const rows = house.cameras.flatMap((camera) => {
    const status = house.statuses.get(camera.id);
    return status === undefined ? [] : [{ name: camera.name, status }];
  });
  const down = rows.filter((row) => row.status.state === 'offline');
  const online = rows.filter((row) => row.status.state === 'online');
  const faulty = rows.filter(
    (row) => row.status.state === 'online' && row.status.reason !== undefined,
  );
  if (down.length > 0) items.push(namesItem(down, 'offline', 'bad'));
  if (faulty.length > 0) items.push(namesItem(faulty, 'not as declared', 'warn'));
  const alarms = alarmsOf(house.health);
  if (alarms.length > 0) {
    items.push({
      text: alarms.length === 1 ? '1 alarm' : `${alarms.length} alarms`,
      hint: alarms.map(({ message }) => toSentence(message)).join('\n'),
      ...{ level: 'bad', to: '/storage' },
    });
  }
  const { warnings } = house.health;
  if (warnings.length > 0) {
    items.push({
      text: warnings.length === 1 ? '1 warning' : `${warnings.length} warnings`,
      hint: warnings.map(toSentence).join('\n'),
      ...{ level: 'warn', to: '/storage' },
    });
  }
  if (house.cameras.length > 0 && rows.length > 0) {
    const recording = rows.filter((row) => row.status.recording.active).length;
    items.push({
      text: `${online.length} of ${house.cameras.length} online`,
      hint: 'All cameras',
      level: online.length > 0 && down.length === 0 ? 'ok' : 'quiet',
      to: '/cameras',
    });
    items.push({
      text: `${recording} recording`,
      hint: 'Cameras that are writing at this moment; those on motion write only while something moves',
      level: 'quiet',
      to: '/cameras',
    });
  }
  return items;
}

function namesItem(
  rows: readonly { name: string; status: CameraStatus }[],
  words: string,
  level: 'warn' | 'bad',
): SummaryItem {
  const [first] = rows;
  const who = rows.length === 1 && first !== undefined ? first.name : `${rows.length} cameras`;
  return {
    text: `${who} ${words}`,
    hint: rows.map((row) => `${row.name}: ${toSentence(row.status.reason ?? words)}`).join('\n'),
    level,
    to: '/cameras',
  };
}
