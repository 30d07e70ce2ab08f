// What of a stream URL may be shown, and what a new one keeps.

import { hasCredentials, newPushUrl, pushKey, replacedUrl, shownUrl } from './stream-urls.js';

test.each([
  ['rtsp://host/path', 'rtsp://host/path'],
  ['rtsp://user:pass@host:8554/path?x=1', 'rtsp://host:8554/path?x=1'],
  ['RTSP://user:p@ss@host/path', 'RTSP://host/path'],
  ['rtsps://user@host/', 'rtsps://host/'],
  ['rtsp://host/live?user=a&password=secret&x=1', 'rtsp://host/live?user=a&password=***&x=1'],
  ['rtsp://host/user=admin&pwd=secret&channel=1', 'rtsp://host/user=admin&pwd=***&channel=1'],
  ['rtsp://host/path@2x', 'rtsp://host/path@2x'],
])('%s is shown as %s', (url, shown) => {
  expect(shownUrl(url)).toBe(shown);
  expect(hasCredentials(url)).toBe(url !== shown);
});

const STORED = 'rtsp://user:pass@host:8554/main?token=secret';

test.each([
  ['its shown form changes nothing', shownUrl(STORED), STORED],
  [
    'another path on the same host keeps the user',
    'rtsp://host:8554/sub',
    'rtsp://user:pass@host:8554/sub',
  ],
  ['another host gets no password', 'rtsp://evil:8554/main', 'rtsp://evil:8554/main'],
  ['another port gets no password', 'rtsp://host/main', 'rtsp://host/main'],
  ['new credentials replace', 'rtsp://a:b@host:8554/main', 'rtsp://a:b@host:8554/main'],
  ['an empty pair takes them away', 'rtsp://@host:8554/main', 'rtsp://host:8554/main'],
])('%s', (_, given, expected) => {
  expect(replacedUrl(STORED, given)).toBe(expected);
});

test('dollar signs in a password survive', () => {
  expect(replacedUrl('rtsp://u:$1$&@host/a', 'rtsp://host/b')).toBe('rtsp://u:$1$&@host/b');
});

test('a pushed stream is shown without its key, which stays until there is a reason', () => {
  const stored = replacedUrl('rtsp://u:p@host/a', 'push');
  expect(pushKey(stored)).toMatch(/^[\w-]{24}$/);
  expect(shownUrl(stored)).toBe('push');
  expect(hasCredentials(stored)).toBe(false);
  expect(replacedUrl(stored, 'push')).toBe(stored);
  expect(replacedUrl(undefined, 'push')).not.toBe(stored);
  expect(newPushUrl()).not.toBe(newPushUrl());
  expect(replacedUrl(stored, 'rtsp://host/b')).toBe('rtsp://host/b');
});
