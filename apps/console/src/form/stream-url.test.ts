import { nameFromUrl, urlFault, withCredentials } from './stream-url.js';

test('user and password are escaped into the address', () => {
  const url = withCredentials('rtsp://10.0.0.5:554/main?x=1', 'admin', 'p@ss/w:rd');
  expect(url).toBe('rtsp://admin:p%40ss%2Fw%3Ard@10.0.0.5:554/main?x=1');
  const parsed = new URL(url);
  expect(decodeURIComponent(parsed.password)).toBe('p@ss/w:rd');
});

test('an address that names its user keeps it', () => {
  expect(withCredentials('rtsp://a:b@host/x', 'c', 'd')).toBe('rtsp://a:b@host/x');
  expect(withCredentials('rtsp://host/x', '', '')).toBe('rtsp://host/x');
});

test('faults are said', () => {
  expect(urlFault('')).toBeUndefined();
  expect(urlFault('rtsp://host/path')).toBeUndefined();
  expect(urlFault('push')).toBeUndefined();
  expect(withCredentials('push', 'a', 'b')).toBe('push');
  expect(urlFault('http://host')).toMatch(/rtsp/);
  expect(urlFault('rtsp://')).toMatch(/complete/);
  expect(nameFromUrl('rtsp://user:x@gate.local/1')).toBe('gate.local');
});
