// The table of cameras: each row has a name, a source and an effect, and finds the camera that it is for.

import { QUIRKS, quirksOf } from './index.js';

test.each([
  ['TP-Link Tapo', { manufacturer: 'tp-link', model: 'C210' }, { pullTimeoutMs: 5000 }],
  ['Reolink', { manufacturer: 'Reolink', model: 'RLC-511' }, { alarmEnd: 'repeat' }],
  [
    'XiongMai (XM530, sold under many names)',
    { manufacturer: 'H264', model: 'IPC_XM530_RA50X20' },
    { keepAlive: 'recreate' },
  ],
  [
    'ONVIF_IPNC F4G (sold under many names)',
    { manufacturer: 'ONVIF_IPNC', model: 'F4G', firmware: '2.1.0-20211214SG' },
    { keepAlive: 'recreate' },
  ],
  ['Vista', { manufacturer: 'Vista' }, { termination: 'ours' }],
  ['Avigilon', { manufacturer: 'Avigilon' }, { pullPauseMs: 1000 }],
])('%s', (camera, info, effect) => {
  const { behaviour, rows } = quirksOf(info);
  expect(rows.map((row) => row.camera)).toEqual([camera]);
  expect(behaviour).toMatchObject(effect);
});

test('a camera that nobody complained of is treated by the standard', () => {
  for (const info of [{}, { manufacturer: 'Nightjar', model: 'x'.repeat(100_000) }]) {
    expect(quirksOf(info).rows).toEqual([]);
  }
  expect(quirksOf({}).behaviour).toMatchObject({ keepAlive: 'renew', alarmEnd: 'message' });
});

test('every row can be looked up, and does something', () => {
  for (const { camera, source, behaviour, manufacturer, model, firmware } of QUIRKS) {
    expect(camera).not.toBe('');
    expect(source).toMatch(/^https:\/\//);
    expect(Object.keys(behaviour).length).toBeGreaterThan(0);
    expect([manufacturer, model, firmware].some((pattern) => pattern !== undefined)).toBe(true);
  }
});
