// What DESCRIBE answers: the SDP of a stream (RFC 4566, RFC 6184 section 8.2, RFC 7798 section 7.2).

import type { Clip } from './clip.js';
import { PAYLOAD_TYPE } from './rtp-packets.js';

export function describeSession(clip: Clip, name: string): string {
  const { codec, fps, width, height } = clip.description;
  const encoding = codec === 'h264' ? 'H264' : 'H265';
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    `s=Nightjar simulator: ${name}`,
    'c=IN IP4 0.0.0.0',
    't=0 0',
    'a=control:*',
    'a=range:npt=now-',
    `m=video 0 RTP/AVP ${PAYLOAD_TYPE}`,
    `a=rtpmap:${PAYLOAD_TYPE} ${encoding}/90000`,
    `a=fmtp:${PAYLOAD_TYPE} ${codec === 'h264' ? h264Parameters(clip) : h265Parameters(clip)}`,
    `a=framerate:${fps}`,
    `a=x-dimensions:${width},${height}`,
    'a=control:trackID=0',
    '',
  ].join('\r\n');
}

function base64(nal: Uint8Array): string {
  return Buffer.from(nal).toString('base64');
}

function h264Parameters(clip: Clip): string {
  const sps = clip.parameterSets.find((nal) => ((nal[0] ?? 0) & 0x1f) === 7);
  const profile = Buffer.from(sps?.subarray(1, 4) ?? []).toString('hex');
  const sets = clip.parameterSets.map(base64).join(',');
  return `packetization-mode=1;profile-level-id=${profile};sprop-parameter-sets=${sets}`;
}

function h265Parameters(clip: Clip): string {
  const names = new Map([
    [32, 'sprop-vps'],
    [33, 'sprop-sps'],
    [34, 'sprop-pps'],
  ]);
  return clip.parameterSets
    .map((nal) => `${names.get(((nal[0] ?? 0) >> 1) & 0x3f) ?? 'sprop-sei'}=${base64(nal)}`)
    .join(';');
}
