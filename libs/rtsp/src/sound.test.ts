// Sound beside the picture: what is asked for, how frames come out of packets, and that the picture
// comes whatever the sound does.

import { eventually } from '#base/testing';
import { chooseAudio, type AudioChoice } from './audio-choice.js';
import { audioDepacketizer } from './audio-depacketizer.js';
import { H264_SDP, testBench, type Handler } from './fake-camera.test-support.js';
import { rtpPacket, seeded } from './packets.test-support.js';
import { parseSdp } from './sdp.js';

const { camera, start } = testBench();

function chosen(...lines: string[]): AudioChoice {
  const choice = chooseAudio(parseSdp(['v=0', ...lines].join('\r\n')));
  if (choice === undefined || 'fault' in choice) throw new Error(choice?.fault ?? 'no sound');
  return choice;
}

function faultOf(...lines: string[]): string | undefined {
  const choice = chooseAudio(parseSdp(['v=0', ...lines].join('\r\n')));
  return choice !== undefined && 'fault' in choice ? choice.fault : undefined;
}

const HBR = [
  'm=audio 0 RTP/AVP 97',
  'a=rtpmap:97 MPEG4-GENERIC/44100/2',
  'a=fmtp:97 streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1210',
];

describe('a session description', () => {
  test.each([
    [HBR, { codec: 'aac', sampleRate: 44_100, channels: 2, codecString: 'mp4a.40.2' }],
    [['m=audio 0 RTP/AVP 0'], { codec: 'pcmu', sampleRate: 8000, channels: 1 }],
    [
      ['m=audio 0 RTP/AVP 98', 'a=rtpmap:98 PCMA/16000/2'],
      { codec: 'pcma', sampleRate: 16_000, channels: 2 },
    ],
    [
      ['m=audio 0 RTP/AVP 99', 'a=rtpmap:99 opus/48000/2'],
      { codec: 'opus', sampleRate: 48_000, channels: 2 },
    ],
    // HE-AAC: the core runs at half the rate that is heard.
    [
      [
        'm=audio 0 RTP/AVP 97',
        'a=rtpmap:97 mpeg4-generic/48000/2',
        'a=fmtp:97 mode=AAC-hbr;config=2B118800',
      ],
      { codec: 'aac', sampleRate: 48_000, channels: 2, codecString: 'mp4a.40.5' },
    ],
    [
      [
        'm=audio 0 RTP/AVP 96',
        'a=rtpmap:96 MP4A-LATM/16000/1',
        'a=fmtp:96 cpresent=0;config=400028103FC0',
      ],
      { codec: 'aac', sampleRate: 16_000, channels: 1 },
    ],
  ])('names its sound: %j', (lines, format) => {
    expect(chosen(...lines).format).toMatchObject(format);
  });

  test.each([
    [
      ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 G726-32/8000'],
      "the camera's sound is G726-32; Nightjar records AAC, G.711 and Opus",
    ],
    [
      ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 MPEG4-GENERIC/8000', 'a=fmtp:97 mode=CELP-vbr'],
      "the camera's sound is MPEG-4 in mode CELP-vbr; Nightjar reads AAC-hbr and AAC-lbr",
    ],
    [
      ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 MPEG4-GENERIC/8000', 'a=fmtp:97 config=zz'],
      'the camera describes its AAC in a way that Nightjar does not read (config=zz)',
    ],
    [['m=video 0 RTP/AVP 96'], undefined],
  ])('says why its sound cannot be recorded: %j', (lines, fault) => {
    expect(faultOf(...lines)).toBe(fault);
  });

  test('the first sound that can be recorded is taken', () => {
    const choice = chosen('m=audio 0 RTP/AVP 98 8', 'a=rtpmap:98 G726-32/8000');
    expect(choice.format.codec).toBe('pcma');
  });
});

/** What a depacketizer gives for payloads; `true` marks the last of a frame. */
function unpacked(choice: AudioChoice, payloads: readonly (readonly [string, boolean?])[]) {
  const log: string[] = [];
  const depacketizer = audioDepacketizer(choice.packing, {
    frame: (bytes, from, to, index) =>
      log.push(`${index} ${Buffer.from(bytes.subarray(from, to)).toString('hex')}`),
    malformed: () => log.push('malformed'),
    broken: () => log.push('broken'),
  });
  for (const [text, marker = true] of payloads) {
    if (text === 'lost') depacketizer.interrupted();
    else {
      const bytes = Buffer.from(`eeee${text}`, 'hex');
      depacketizer.payload(bytes, 2, bytes.length, marker);
    }
  }
  return log;
}

describe('AAC (RFC 3640)', () => {
  const hbr = chosen(...HBR);

  test('one access unit, and three in a packet', () => {
    expect(unpacked(hbr, [['00100018aabbcc']])).toEqual(['0 aabbcc']);
    expect(unpacked(hbr, [['0030' + '0010' + '0008' + '0018' + 'aabb' + 'cc' + 'ddeeff']])).toEqual(
      ['0 aabb', '1 cc', '2 ddeeff'],
    );
  });

  test('an access unit over three packets; a lost part costs that unit alone', () => {
    const parts: [string, boolean][] = [
      ['00100030aabb', false],
      ['00100030ccdd', false],
      ['00100030eeff', true],
    ];
    expect(unpacked(hbr, parts)).toEqual(['0 aabbccddeeff']);
    const [first, , last] = parts as [[string, boolean], unknown, [string, boolean]];
    expect(unpacked(hbr, [first, ['lost'], last, ['00100008aa']])).toEqual(['broken', '0 aa']);
  });

  test('low bit rate: headers of a byte', () => {
    const lbr = chosen(
      'm=audio 0 RTP/AVP 97',
      'a=rtpmap:97 mpeg4-generic/8000/1',
      'a=fmtp:97 mode=AAC-lbr;sizelength=6;indexlength=2;indexdeltalength=2;config=1588',
    );
    expect(unpacked(lbr, [['0010' + '08' + '0c' + 'aabb' + 'ccddee']])).toEqual([
      '0 aabb',
      '1 ccddee',
    ]);
  });

  test('units of constant size need no headers', () => {
    const fixed = chosen(
      'm=audio 0 RTP/AVP 97',
      'a=rtpmap:97 mpeg4-generic/8000/1',
      'a=fmtp:97 mode=generic;constantsize=2;config=1588',
    );
    expect(unpacked(fixed, [['aabbccdd']])).toEqual(['0 aabb', '1 ccdd']);
  });

  test('LATM: a length in front, several in one element, one over two packets', () => {
    const latm = chosen(
      'm=audio 0 RTP/AVP 96',
      'a=rtpmap:96 MP4A-LATM/16000/1',
      'a=fmtp:96 cpresent=0;config=410028103FC0',
    );
    expect(unpacked(latm, [['02aabb01cc']])).toEqual(['0 aabb', '1 cc']);
    expect(unpacked(latm, [['02aa', false], ['bb01cc']])).toEqual(['0 aabb', '1 cc']);
    const long = '11'.repeat(300);
    expect(unpacked(latm, [[`ff2d${long}01cc`]])).toEqual([`0 ${long}`, '1 cc']);
    expect(unpacked(latm, [['02aabb05cc']])).toEqual(['0 aabb', 'malformed']);
  });

  test('rubbish gives no frame that reaches outside its packet', () => {
    const random = seeded(3);
    for (let round = 0; round < 3000; round++) {
      const bytes = Buffer.from(Array.from({ length: 1 + random(40) }, () => random(256)));
      for (const line of unpacked(hbr, [[bytes.toString('hex'), random(2) === 0]])) {
        const [, text = ''] = line.split(' ');
        expect(`eeee${bytes.toString('hex')}`).toContain(text);
      }
    }
  });
});

const WITH_SOUND = H264_SDP.replace(
  'm=audio 0 RTP/AVP 8',
  'm=audio 0 RTP/AVP 8\r\na=control:trackID=2',
);
const describe_ =
  (sdp: string): Handler =>
  (request, client) =>
    client.answer(request, '200 OK', [`Content-Base: ${request.url}/`], sdp);
const setUp: Handler = (request, client) =>
  client.answer(request, '200 OK', ['Session: 12345', `Transport: ${request.headers.transport}`]);

/** 20 ms of A-law. */
function sound(sequence: number, options: { timestamp?: number; ssrc?: number } = {}): Buffer {
  const { timestamp = sequence * 160, ssrc = 7 } = options;
  return rtpPacket(Buffer.alloc(160, sequence), { sequence, timestamp, ssrc, payloadType: 8 });
}

describe('a camera with sound', () => {
  test('is asked for it on channels of its own, in the same session', async () => {
    const fake = await camera({ DESCRIBE: describe_(WITH_SOUND), SETUP: setUp });
    const { starts, audio, sounds, sink, stream } = start(fake.url(), { sound: true });
    await eventually('the start', () => starts.length === 1);
    const asked = fake.requests.filter(({ method }) => method === 'SETUP');
    expect(asked.map(({ url, headers }) => [url.split('/').at(-1), headers.transport])).toEqual([
      ['trackID=1', 'RTP/AVP/TCP;unicast;interleaved=0-1'],
      ['trackID=2', 'RTP/AVP/TCP;unicast;interleaved=2-3'],
    ]);
    expect(asked[1]?.headers.session).toBe('12345');
    fake.client.frame(true);
    for (let packet = 0; packet < 5; packet++) fake.client.packet(2, sound(packet));
    fake.client.frame(false);
    await eventually('the frames', () => audio.frames.length === 5 && sink.frames.length === 2);
    expect(sounds).toMatchObject([{ codec: 'pcma', sampleRate: 8000 }]);
    expect(audio.frames.map(({ pts90k }) => pts90k)).toEqual([0, 1800, 3600, 5400, 7200]);
    expect(
      audio.bytes.equals(Buffer.concat([0, 1, 2, 3, 4].map((at) => Buffer.alloc(160, at)))),
    ).toBe(true);
    expect(stream.counters.audio).toMatchObject({ packets: 5, frames: 5, lostPackets: 0 });
    expect(starts[0]?.audioFault).toBeUndefined();
  });

  test('losses are counted, late packets left out, and another source goes on in time', async () => {
    const fake = await camera({ DESCRIBE: describe_(WITH_SOUND), SETUP: setUp });
    const { starts, audio, stream, clock } = start(fake.url(), { sound: true });
    await eventually('the start', () => starts.length === 1);
    for (const sequence of [65_534, 65_535, 2, 1, 3]) {
      fake.client.packet(2, sound(sequence, { timestamp: ((sequence + 2) & 0xffff) * 160 }));
    }
    await eventually('the frames', () => audio.frames.length === 4);
    expect(stream.counters.audio).toMatchObject({ packets: 5, lostPackets: 2, clockJumps: 0 });
    expect(audio.frames.map(({ pts90k }) => pts90k)).toEqual([0, 1800, 7200, 9000]);
    clock.advance(40);
    fake.client.packet(2, sound(900, { timestamp: 12, ssrc: 8 }));
    await eventually('the frame', () => audio.frames.length === 5);
    expect(audio.frames.at(-1)?.pts90k).toBe(9000 + 3600);
    expect(stream.counters.audio.clockJumps).toBe(1);
  });

  test('sender reports of both tell how the clocks lie to each other', async () => {
    const fake = await camera({ DESCRIBE: describe_(WITH_SOUND), SETUP: setUp });
    const { starts, audio, sink } = start(fake.url(), { sound: true });
    await eventually('the start', () => starts.length === 1);
    const report = (seconds: number, timestamp: number) => {
      const bytes = Buffer.alloc(28);
      bytes.writeUInt32BE(0x80c80006, 0);
      bytes.writeUInt32BE(3_976_214_400 + seconds, 8);
      bytes.writeUInt32BE(timestamp, 16);
      return bytes;
    };
    fake.client.frame(true);
    fake.client.packet(2, sound(0, { timestamp: 80_000 }));
    fake.client.packet(1, report(10, 45_000));
    fake.client.packet(3, report(12, 80_800));
    await eventually('both', () => audio.offsets.length === 1 && sink.frames.length === 1);
    // Picture: 45 000 at 10 s, so 225 000 at 12 s. Sound: 10.1 s x 90 000 = 909 000 at 12 s.
    expect(audio.offsets).toEqual([225_000 - 909_000]);
  });

  test.each([
    ['refuses it', '461 Unsupported Transport', 'does not send over TCP'],
    ['has none after all', '404 Not Found', '404'],
  ])('that %s gives its picture, and says so', async (_, status, text) => {
    const fake = await camera({
      DESCRIBE: describe_(WITH_SOUND),
      SETUP: (request, client) =>
        request.url.endsWith('2') ? client.answer(request, status) : setUp(request, client),
    });
    const { starts, sink, sounds } = start(fake.url(), { sound: true });
    await eventually('the start', () => starts.length === 1);
    expect(starts[0]?.audioFault).toContain('the camera did not give its sound: ');
    expect(starts[0]?.audioFault).toContain(text);
    fake.client.frame(true);
    await eventually('the picture', () => sink.frames.length === 1);
    expect(sounds).toEqual([]);
  });

  test('that hangs up when asked for it is asked for the picture alone the next time', async () => {
    const fake = await camera({
      DESCRIBE: describe_(WITH_SOUND),
      SETUP: (request, client) =>
        request.url.endsWith('2') ? client.socket.destroy() : setUp(request, client),
    });
    const { starts, ends, sink, clock } = start(fake.url(), { sound: true });
    await eventually('the end', () => ends.length === 1);
    clock.advance(1000);
    await eventually('the start', () => starts.length === 1);
    expect(starts[0]?.audioFault).toBe(
      'the camera ended its stream when it was asked for its sound',
    );
    fake.client.frame(true);
    await eventually('the picture', () => sink.frames.length === 1);
  });

  test('of an unknown kind gives its picture, and says so', async () => {
    const sdp = WITH_SOUND.replace('AVP 8', 'AVP 97\r\na=rtpmap:97 G726-32/8000');
    const fake = await camera({ DESCRIBE: describe_(sdp), SETUP: setUp });
    const { starts, sink } = start(fake.url(), { sound: true });
    await eventually('the start', () => starts.length === 1);
    fake.client.frame(true);
    await eventually('the picture', () => sink.frames.length === 1);
    expect(starts[0]).toMatchObject({
      audio: 'G726-32',
      audioFault: "the camera's sound is G726-32; Nightjar records AAC, G.711 and Opus",
    });
    expect(fake.methods.filter((method) => method === 'SETUP')).toHaveLength(1);
  });

  test('is not asked for it when nobody takes it', async () => {
    const fake = await camera({ DESCRIBE: describe_(WITH_SOUND), SETUP: setUp });
    const { starts } = start(fake.url());
    await eventually('the start', () => starts.length === 1);
    expect(fake.methods.filter((method) => method === 'SETUP')).toHaveLength(1);
  });
});
