import { isCodecTrouble, playbackFaultText } from './past-words.js';

test('a codec that the browser lacks is told apart from the network', () => {
  expect(isCodecTrouble('bufferAddCodecError')).toBe(true);
  expect(isCodecTrouble('fragLoadError')).toBe(false);
  expect(playbackFaultText({ details: 'bufferAddCodecError', rendition: 'source' })).toMatch(
    /480p/,
  );
});

test("the server's own words are shown", () => {
  const body = JSON.stringify({
    type: 'about:blank',
    title: 'Not found',
    status: 404,
    detail: 'no footage between 10:00 and 10:30',
    code: 'not-found',
  });
  expect(
    playbackFaultText({ details: 'manifestLoadError', status: 404, body, rendition: 'source' }),
  ).toBe('No footage between 10:00 and 10:30.');
});

test('silence and slowness have sentences too', () => {
  const of = (details: string) => playbackFaultText({ details, rendition: 'source' });
  expect(of('fragLoadTimeOut')).toMatch(/in time/);
  expect(of('fragLoadError')).toMatch(/does not answer/);
});
