// What comes over the wire, in any pieces: packets, messages, rubbish, lies.

import { parseHead, type RtspMessage } from './message.js';
import { seeded } from './packets.test-support.js';
import { WireParser } from './wire-parser.js';

interface Seen {
  readonly packets: string[];
  readonly messages: RtspMessage[];
}

function bench() {
  const seen: Seen = { packets: [], messages: [] };
  const parser = new WireParser({
    isChannel: (channel) => channel < 2,
    onPacket: (channel, bytes, start, end) => {
      if (end > bytes.length || start > end) throw new Error('a range outside its bytes');
      seen.packets.push(`${channel}:${Buffer.from(bytes.subarray(start, end)).toString('latin1')}`);
    },
    onMessage: (message) => seen.messages.push(message),
  });
  return { seen, parser, push: (text: string) => push(parser, Buffer.from(text, 'latin1')) };
}

/** Through one buffer that is overwritten after each read, as the shared one is. */
function push(parser: WireParser, bytes: Uint8Array, pieces = [bytes.length]): void {
  const shared = Buffer.alloc(Math.max(...pieces));
  let at = 0;
  for (const size of pieces) {
    shared.fill(0x24);
    shared.set(bytes.subarray(at, at + size));
    parser.push(shared, 0, Math.min(size, bytes.length - at));
    at += size;
  }
}

function packet(channel: number, text: string): string {
  return `$${String.fromCharCode(channel, text.length >> 8, text.length & 255)}${text}`;
}

const ANSWER = 'RTSP/1.0 200 OK\r\nCSeq: 3\r\nContent-Length: 5\r\nX: 1\r\nX: 2\r\n\r\nhello';

describe('wire parser', () => {
  test('packets and messages in one read', () => {
    const { seen, push: pushText, parser } = bench();
    pushText(packet(0, 'first') + ANSWER + packet(1, '') + '\r\n' + packet(0, 'last'));
    expect(seen.packets).toEqual(['0:first', '1:', '0:last']);
    expect(seen.messages).toHaveLength(1);
    expect(seen.messages[0]).toMatchObject({ kind: 'response', status: 200, body: 'hello' });
    expect(seen.messages[0]?.headers.all('x')).toEqual(['1', '2']);
    expect(parser.pendingBytes).toBe(0);
  });

  test('the same in all pairs of pieces, and byte by byte', () => {
    const bytes = Buffer.from(
      packet(0, 'a$b') + ANSWER + packet(1, 'x'.repeat(300)) + packet(0, 'RTSP/1.0 ') + ANSWER,
      'latin1',
    );
    const whole = bench();
    push(whole.parser, bytes);
    for (let cut = 1; cut < bytes.length; cut++) {
      const { seen, parser } = bench();
      push(parser, bytes, [cut, bytes.length - cut]);
      expect(seen.packets).toEqual(whole.seen.packets);
      expect(seen.messages.length).toBe(2);
    }
    const { seen, parser } = bench();
    for (const byte of bytes) parser.push(Buffer.from([byte]), 0, 1);
    expect(seen.packets).toEqual(whole.seen.packets);
    expect(seen.messages).toEqual(whole.seen.messages);
    expect(parser.rubbishBytes).toBe(0);
  });

  test('rubbish before, between and behind is passed over and counted', () => {
    const { seen, push: pushText, parser } = bench();
    pushText(`\x00\x01nonsense${ANSWER}RTS ANNOUNCE me\nRTSP/1.0 x\n${packet(0, 'good')}`);
    pushText(`\xff\xfe$\x99\x00\x05${packet(1, 'after')}`);
    expect(seen.messages).toHaveLength(1);
    expect(seen.packets).toEqual(['0:good', '1:after']);
    expect(parser.rubbishBytes).toBeGreaterThan(10);
  });

  test('a camera that asks is heard', () => {
    const { seen, push: pushText } = bench();
    pushText('OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 9\r\n\r\n');
    expect(seen.messages[0]).toMatchObject({ kind: 'request', method: 'OPTIONS' });
  });

  test('single line ends, odd lines and phrases of other alphabets are read', () => {
    const { seen, push: pushText } = bench();
    pushText('RTSP/1.0 401 N\xe3o autorizado\nno header\n: empty\nCSeq:4\n\n');
    expect(seen.messages[0]).toMatchObject({ kind: 'response', status: 401 });
    expect(seen.messages[0]?.headers.get('cseq')).toBe('4');
  });

  test.each(['-1', '1e9', '99999999999', '262145', 'abc', '1 2', '0x10', '+5'])(
    'content-length %s ends the connection',
    (length) => {
      const { push: pushText } = bench();
      expect(() => pushText(`RTSP/1.0 200 OK\r\nContent-Length: ${length}\r\n\r\n`)).toThrow(
        /content-length/,
      );
    },
  );

  test('what a camera writes where a number belongs is told in letters that can be kept', () => {
    const { push: pushText } = bench();
    expect(() => pushText('RTSP/1.0 200 OK\r\nContent-Length: 1\u0000\u00ff2\r\n\r\n')).toThrow(
      /found content-length 1\?\?2$/,
    );
  });

  test('a body that is longer than told is rubbish, one that is shorter is waited for', () => {
    const { seen, push: pushText } = bench();
    pushText(`RTSP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nv=0 m=video ${ANSWER}`);
    expect(seen.messages.map((message) => message.kind === 'response' && message.body)).toEqual([
      'v=',
      'hello',
    ]);
    pushText('RTSP/1.0 200 OK\r\nContent-Length: 200\r\n\r\nshort');
    expect(seen.messages).toHaveLength(2);
  });

  test('a head without end is refused before it fills the memory', () => {
    const { push: pushText, parser } = bench();
    expect(() => {
      pushText('RTSP/1.0 200 OK\r\n');
      for (let line = 0; line < 10_000; line++) pushText(`X-${line}: ${'y'.repeat(100)}\r\n`);
    }).toThrow(/expected a head/);
    expect(parser.pendingBytes).toBeLessThan(40_000);
  });

  test('a line without end is rubbish', () => {
    const { push: pushText, parser } = bench();
    expect(() => {
      for (let round = 0; round < 1000; round++) pushText(`RTSP/${'A'.repeat(2000)}`);
    }).toThrow(/neither media nor messages/);
    expect(parser.pendingBytes).toBeLessThan(5000);
  });

  test('endless rubbish ends the connection, in time that grows with its size only', () => {
    const { parser } = bench();
    const rubbish = Buffer.from('OPTIONS OPTIONS TEARDOWN '.repeat(2000));
    expect(() => {
      for (let round = 0; round < 1000; round++) parser.push(rubbish, 0, rubbish.length);
    }).toThrow(/neither media nor messages/);
  });

  test('mutated streams break nothing and keep little', () => {
    const random = seeded(5);
    const good = Buffer.from(
      (packet(0, 'x'.repeat(500)) + ANSWER + packet(1, 'y')).repeat(8),
      'latin1',
    );
    let packets = 0;
    for (let round = 0; round < 1500; round++) {
      const bytes = Buffer.from(good);
      for (let flips = random(12); flips > 0; flips--) bytes[random(bytes.length)] = random(256);
      const { parser, seen } = bench();
      const pieces = [];
      for (let left = bytes.length; left > 0; left -= pieces.at(-1) ?? 1)
        pieces.push(1 + random(900));
      try {
        push(parser, bytes, pieces);
      } catch (error) {
        expect(error).toMatchObject({ code: 'unavailable', context: { reason: 'protocol' } });
      }
      packets += seen.packets.length;
      expect(parser.pendingBytes).toBeLessThanOrEqual(66_000);
    }
    expect(packets).toBeGreaterThan(10_000);
  });
});

describe('heads', () => {
  test('what is no head is undefined', () => {
    for (const text of ['', 'RTSP/1.0', 'RTSP/1.0 20', 'HTTP/1.1 200 OK', 'get x RTSP/1.0']) {
      expect(parseHead(text)).toBeUndefined();
    }
  });
});
