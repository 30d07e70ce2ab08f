// What a camera says of its stream, and how it is asked: SDP, URLs, transports, passwords.

import { createHash } from 'node:crypto';
import { Authentication, readChallenges } from './authentication.js';
import { H264_PPS, H264_SPS, seeded } from './packets.test-support.js';
import { ReorderWindow } from './reorder-window.js';
import { parseRtspUrl, placeOf, resolveControl } from './rtsp-url.js';
import { chooseVideo, parameterSetsOf, parseSdp, whyNoVideo } from './sdp.js';
import { readRtcp } from './sender-report.js';
import { readTransport } from './transport-header.js';

const SDP = [
  'v=0',
  'o=- 1 1 IN IP4 10.0.0.1',
  's=Media Presentation',
  'a=control:*',
  'm=audio 0 RTP/AVP 0 8',
  'a=control:trackID=2',
  'a=rtpmap:8 PCMA/8000',
  'm=video 0 RTP/AVP 97 96',
  'b=AS:5000',
  'a=rtpmap:97 VP8/90000',
  'a=rtpmap:96 H264/90000',
  `a=fmtp:96 Packetization-Mode=1; profile-level-id=42c01e; sprop-parameter-sets=${H264_SPS.toString('base64')},${H264_PPS.toString('base64')}`,
  'a=control:trackID=1',
].join('\r\n');

describe('SDP', () => {
  test('the first video that can be recorded, with its sets', () => {
    const sdp = parseSdp(SDP);
    expect(sdp.control).toBe('*');
    expect(sdp.media.map(({ kind, control }) => [kind, control])).toEqual([
      ['audio', 'trackID=2'],
      ['video', 'trackID=1'],
    ]);
    const choice = chooseVideo(sdp);
    expect(choice).toMatchObject({ codec: 'h264', coding: { payloadType: 96, clockRate: 90_000 } });
    expect(choice?.coding.parameters.get('packetization-mode')).toBe('1');
    const sets = choice === undefined ? [] : parameterSetsOf(choice.coding);
    expect(sets.map((set) => Buffer.from(set))).toEqual([H264_SPS, H264_PPS]);
    expect(sdp.media[0]?.codings.map(({ name }) => name)).toEqual(['PCMU', 'PCMA']);
  });

  test('H.265 sets, start codes in them, and an rtpmap for another payload type', () => {
    const sps = Buffer.concat([Buffer.from([0, 0, 0, 1]), H264_SPS]).toString('base64');
    const choice = chooseVideo(
      parseSdp(
        `m=video 0 RTP/AVP 99\na=rtpmap:98 hevc/90000\na=fmtp:98 sprop-vps=QAEM;sprop-sps=${sps};sprop-pps=!!!`,
      ),
    );
    expect(choice).toMatchObject({ codec: 'h265', coding: { payloadType: 98 } });
    const sets = choice === undefined ? [] : parameterSetsOf(choice.coding);
    expect(sets.map((set) => Buffer.from(set))).toEqual([Buffer.from('40010c', 'hex'), H264_SPS]);
  });

  test.each([
    ['m=video 0 RTP/AVP 26', 'the camera sends JPEG; Nightjar records H.264 and H.265'],
    ['m=audio 0 RTP/AVP 0', 'the camera sends only sound (PCMU); Nightjar records H.264 and H.265'],
    [
      'm=application 0 RTP/AVP 107',
      'the camera describes no video; Nightjar records H.264 and H.265',
    ],
    [
      'm=video 0 RTP/AVP 96',
      'the camera does not say how its video is coded; Nightjar records H.264 and H.265',
    ],
  ])('%s: %s', (text, message) => {
    const sdp = parseSdp(text);
    expect(chooseVideo(sdp)).toBeUndefined();
    expect(whyNoVideo(sdp)).toBe(message);
  });

  test('mutated descriptions break nothing', () => {
    const random = seeded(11);
    for (let round = 0; round < 5000; round++) {
      const bytes = Buffer.from(SDP);
      for (let flips = random(20); flips > 0; flips--) bytes[random(bytes.length)] = random(256);
      const cut = random(3) === 0 ? random(bytes.length) : bytes.length;
      const sdp = parseSdp(bytes.subarray(0, cut).toString('latin1'));
      expect(typeof whyNoVideo(sdp)).toBe('string');
      const choice = chooseVideo(sdp);
      if (choice === undefined) continue;
      expect(choice.coding.clockRate).toBeGreaterThan(0);
      expect(choice.coding.payloadType).toBeLessThan(128);
      for (const set of parameterSetsOf(choice.coding)) expect(set.length).toBeGreaterThan(1);
    }
  });

  test('a description of a million lines is read to its bound', () => {
    expect(parseSdp('m=video 0 RTP/AVP 96\n'.repeat(100_000)).media).toHaveLength(32);
    const maps = Array.from({ length: 10_000 }, (_, index) => `a=rtpmap:${index} H264/90000`);
    expect(parseSdp(`m=video 0 RTP/AVP 200\n${maps.join('\n')}`).media[0]?.codings.length).toBe(32);
  });
});

describe('URLs', () => {
  test('user and password are decoded and kept out of what is asked for', () => {
    const url = parseRtspUrl('rtsp://ad%40min:p%3Aw%2Fd%25@10.0.0.1:8554/a/b?c=1&d=2#frag');
    expect(url).toEqual({
      secure: false,
      host: '10.0.0.1',
      port: 8554,
      requestUrl: 'rtsp://10.0.0.1:8554/a/b?c=1&d=2',
      credentials: { user: 'ad@min', password: 'p:w/d%' },
    });
  });

  test.each([
    ['rtsp://cam', 'rtsp://cam/', 554, 'cam'],
    ['RTSP://cam.example/x', 'rtsp://cam.example/x', 554, 'cam.example'],
    ['rtsps://cam/x', 'rtsps://cam/x', 322, 'cam'],
    ['rtsp://[fe80::1]:99/x', 'rtsp://[fe80::1]:99/x', 99, 'fe80::1'],
    ['rtsp://cam?x=1', 'rtsp://cam/?x=1', 554, 'cam'],
    ['rtsp://cam/Büro?x=1', 'rtsp://cam/B%C3%BCro?x=1', 554, 'cam'],
    ['rtsp://user@cam/x', 'rtsp://cam/x', 554, 'cam'],
  ])('%s', (text, requestUrl, port, host) => {
    expect(parseRtspUrl(text)).toMatchObject({ requestUrl, port, host });
  });

  test('a percent sign that begins no escape stands for itself', () => {
    const { credentials } = parseRtspUrl('rtsp://u:100%sure@cam/');
    expect(credentials).toEqual({ user: 'u', password: '100%sure' });
    expect(placeOf(parseRtspUrl('rtsp://[::1]/'))).toBe('[::1]:554');
  });

  test.each([
    'http://cam/',
    'rtsp://',
    'rtsp:///x',
    'rtsp://cam:0/',
    'rtsp://cam:70000/',
    'rtsp://c am/',
    'rtsp://cam/\r\nX: y',
    '',
  ])('no camera is at %j, and the fault shows no password', (text) => {
    expect(() => parseRtspUrl(text)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    expect(() => parseRtspUrl('http://u:secret@cam')).not.toThrow(/secret/);
  });

  test.each([
    ['rtsp://c/a', 'trackID=1', 'rtsp://c/a/trackID=1'],
    ['rtsp://c/a/', 'trackID=1', 'rtsp://c/a/trackID=1'],
    ['rtsp://c/a?b=1', 'trackID=1', 'rtsp://c/a?b=1/trackID=1'],
    ['rtsp://c:55/a', '/b/trackID=1', 'rtsp://c:55/b/trackID=1'],
    ['rtsp://c/a', 'rtsp://u:p@d/x', 'rtsp://d/x'],
    ['rtsp://c/a', '*', 'rtsp://c/a'],
    ['rtsp://c/a', undefined, 'rtsp://c/a'],
    ['rtsp://c/a', 'x\ty', 'rtsp://c/a'],
  ])('control of %s: %s', (base, control, expected) => {
    expect(resolveControl(base, control)).toBe(expected);
  });
});

describe('transports', () => {
  test('what a camera grants', () => {
    expect(readTransport('RTP/AVP/TCP;unicast;interleaved=4-5;ssrc=1', 'tcp').channels).toEqual([
      4, 5,
    ]);
    expect(readTransport('RTP/AVP/TCP;interleaved=6', 'tcp').channels).toEqual([6, 7]);
    expect(readTransport(undefined, 'tcp').channels).toEqual([0, 1]);
    expect(
      readTransport('RTP/AVP;unicast;client_port=1-2;server_port=6970-6971;source=10.0.0.9', 'udp'),
    ).toMatchObject({ serverPort: 6970, source: '10.0.0.9' });
    expect(() => readTransport('RTP/AVP/TCP;interleaved=256-257', 'tcp')).toThrow(/channels/);
    expect(() => readTransport('RTP/AVP;server_port=1-2', 'tcp')).toThrow(/expected the camera/);
    expect(() => readTransport('RTP/AVP/TCP;interleaved=0-1', 'udp')).toThrow(
      /expected the camera/,
    );
  });
});

describe('authentication', () => {
  const fields = (header: string | undefined) =>
    new Map([...(readChallenges(header ?? '')[0]?.parameters ?? [])]);

  test('the example of RFC 2617, 3.5', () => {
    const authentication = new Authentication(
      { user: 'Mufasa', password: 'Circle Of Life' },
      () => '0a4f113b',
    );
    authentication.challenge([
      'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
    ]);
    const answer = fields(authentication.header('GET', '/dir/index.html'));
    expect(answer.get('response')).toBe('6629fae49393a05397450978507c4ef1');
    expect(answer.get('nc')).toBe('00000001');
    expect(answer.get('opaque')).toBe('5ccc069c403ebaf9f0171e9517f40e41');
  });

  test('the SHA-256 example of RFC 7616, 3.9.1, is taken before MD5', () => {
    const authentication = new Authentication(
      { user: 'Mufasa', password: 'Circle of Life' },
      () => 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    );
    const common =
      'realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
    authentication.challenge([
      `Digest ${common}, algorithm=MD5`,
      `Digest ${common}, algorithm=SHA-256`,
    ]);
    const answer = fields(authentication.header('GET', '/dir/index.html'));
    expect(answer.get('response')).toBe(
      '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    );
  });

  test('without qop, and with sessions', () => {
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    const plain = new Authentication({ user: 'u', password: 'p' });
    plain.challenge(['Digest realm="r", nonce="n"']);
    expect(fields(plain.header('DESCRIBE', 'rtsp://c/')).get('response')).toBe(
      md5(`${md5('u:r:p')}:n:${md5('DESCRIBE:rtsp://c/')}`),
    );
    const session = new Authentication({ user: 'u', password: 'p' }, () => 'c');
    session.challenge(['Digest realm="r", nonce="n", algorithm=MD5-sess, qop=auth']);
    expect(fields(session.header('DESCRIBE', 'rtsp://c/')).get('response')).toBe(
      md5(`${md5(`${md5('u:r:p')}:n:c`)}:n:00000001:c:auth:${md5('DESCRIBE:rtsp://c/')}`),
    );
  });

  test('Basic only where nothing better is offered; several challenges in one header', () => {
    const authentication = new Authentication({ user: 'u', password: 'pä' });
    expect(authentication.header('OPTIONS', '*')).toBeUndefined();
    expect(authentication.challenge(['Basic realm="x"'])).toBe('answerable');
    expect(authentication.header('OPTIONS', '*')).toBe(
      `Basic ${Buffer.from('u:pä').toString('base64')}`,
    );
    const both = new Authentication({ user: 'u', password: 'p' });
    both.challenge(['Basic realm="a, b", Digest realm="r \\"q\\"", nonce="n"']);
    expect(both.header('OPTIONS', '*')).toContain('realm="r \\"q\\""');
  });

  test('a second challenge rejects, but for a stale nonce or one that had been good', () => {
    const authentication = new Authentication({ user: 'u', password: 'p' });
    expect(authentication.challenge(['Digest realm="r", nonce="1"'])).toBe('answerable');
    expect(authentication.challenge(['Digest realm="r", nonce="2", stale=TRUE'])).toBe(
      'answerable',
    );
    expect(authentication.challenge(['Digest realm="r", nonce="3"'])).toBe('rejected');
    authentication.accepted();
    expect(authentication.challenge(['Digest realm="r", nonce="4"'])).toBe('answerable');
    expect(authentication.challenge(['Digest realm="r", nonce="5"'])).toBe('rejected');
  });

  test.each([
    [[]],
    [['Bearer x']],
    [['Digest realm="r"']],
    [['Digest realm="r", nonce="n", algorithm=SHA-512']],
    [['Digest realm="r", nonce="n", qop=auth-int']],
    [['=,=,"""']],
  ])('cannot be answered: %j', (headers) => {
    const authentication = new Authentication({ user: 'u', password: 'p' });
    expect(authentication.challenge(headers)).toBe('unknown');
  });
});

describe('sender reports', () => {
  const report = (ntpSeconds: number, fraction = 0) => {
    const bytes = Buffer.alloc(28);
    bytes.writeUInt32BE(0x80c80006, 0);
    bytes.writeUInt32BE(ntpSeconds, 8);
    bytes.writeUInt32BE(fraction, 12);
    return bytes;
  };

  test('tell the camera’s clock, in this NTP era and the next', () => {
    expect(readRtcp(report(3_976_214_400, 2 ** 31), 0, 28)).toEqual({
      bye: false,
      unixMs: Date.UTC(2026, 0, 1) + 500,
      rtpTimestamp: 0,
    });
    expect(readRtcp(report(10), 0, 28)?.unixMs).toBe(Date.UTC(2036, 1, 7, 6, 28, 26));
    expect(readRtcp(report(0), 0, 28)).toEqual({ bye: false });
  });

  test('goodbyes, and packets that are none', () => {
    const bye = Buffer.concat([report(0), Buffer.from('81cb000100000001', 'hex')]);
    expect(readRtcp(bye, 0, bye.length)).toEqual({ bye: true });
    expect(readRtcp(bye, 0, 30)).toEqual({ bye: false });
    expect(readRtcp(Buffer.from('00c80006', 'hex'), 0, 4)).toBeUndefined();
    expect(readRtcp(Buffer.alloc(0), 0, 0)).toBeUndefined();
    expect(readRtcp(report(1), 0, 20)).toBeUndefined();
  });
});

describe('the reorder window', () => {
  const numbered = (sequence: number) => Buffer.from([0x80, 96, sequence >> 8, sequence & 255]);
  const bench = () => {
    const out: number[] = [];
    const window = new ReorderWindow((packet) =>
      out.push(((packet[2] ?? 0) << 8) | (packet[3] ?? 0)),
    );
    return {
      out,
      window,
      push: (...numbers: number[]) => numbers.forEach((n) => window.push(numbered(n))),
    };
  };

  test('order comes back, over the wrap too', () => {
    const { out, push, window } = bench();
    push(65_534, 0, 65_535, 2, 1);
    expect(out).toEqual([65_534, 65_535, 0, 1, 2]);
    expect(window.length).toBe(0);
  });

  test('a loss is given up when the window is full or time is over', () => {
    const { out, push, window } = bench();
    push(1, 3, 4);
    expect(out).toEqual([1]);
    window.flush();
    expect(out).toEqual([1, 3, 4]);
    push(6, 5, 50, 51);
    expect(out).toEqual([1, 3, 4, 5, 6]);
    push(49, 85);
    expect(out).toEqual([1, 3, 4, 5, 6, 49, 50, 51]);
    push(2);
    expect(out.at(-1)).toBe(2);
  });

  test('any order in, the right one out; what is lost costs only itself', () => {
    const random = seeded(3);
    for (let round = 0; round < 300; round++) {
      const { out, push, window } = bench();
      const numbers = Array.from({ length: 100 }, (_, index) => 65_500 + index);
      // Each packet is up to four places late; the first is not.
      const late = numbers.map((number, index) => ({
        number: number & 0xffff,
        place: index === 0 ? 0 : index + random(5),
      }));
      late.sort((a, b) => a.place - b.place);
      const kept = late.filter(({ place }) => place === 0 || random(20) > 0);
      push(...kept.map(({ number }) => number));
      window.flush();
      const arrived = new Set(kept.map(({ number }) => number));
      const expected = numbers.map((number) => number & 0xffff).filter((n) => arrived.has(n));
      expect(out).toEqual(expected);
    }
  });

  test('another beginning is handed on', () => {
    const { out, push } = bench();
    push(10, 11, 30_000, 30_001, 30_002);
    expect(out).toEqual([10, 11, 30_000, 30_001, 30_002]);
  });
});
