// What goes into the image.

import { readFileSync } from 'node:fs';

const linesOf = (path: string) =>
  readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

test('the image gets nothing that git leaves out: no secrets, no footage, no packages of another machine', () => {
  // `data/` is where `npm start` keeps its secrets by default.
  expect(linesOf('.gitignore')).toContain('data/');
  expect(linesOf('docker/Dockerfile.dockerignore')).toEqual(
    expect.arrayContaining(['.git', ...linesOf('.gitignore')]),
  );
});
