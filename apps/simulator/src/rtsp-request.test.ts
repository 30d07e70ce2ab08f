// Requests with lengths that are none.

import { RtspRequestReader } from './rtsp-request.js';

test.each(['-43', '-1', 'abc', '1.5', '9e9'])('a length of %s is refused', (length) => {
  const head = `OPTIONS * RTSP/1.0\r\nContent-Length: ${length}\r\n\r\n`;
  let count = 0;
  const read = () => {
    for (const request of new RtspRequestReader().read(Buffer.from(head))) {
      count += 1;
      // One request that is read for ever would be a simulator that hangs.
      if (request.method !== 'OPTIONS' || count > 3) return;
    }
  };
  expect(read).toThrow('body');
  expect(count).toBe(0);
});
