// Good inputs to begin with: what cameras of several makers say, shortened to what is read of it.

const BODY = [
  'v=0',
  'o=- 1109162014219182 1 IN IP4 10.0.0.4',
  's=Media Presentation',
  'b=AS:5050',
  't=0 0',
  'a=control:*',
  'a=range:npt=now-',
  'm=video 0 RTP/AVP 96',
  'b=AS:5000',
  'a=control:trackID=1',
  'a=rtpmap:96 H264/90000',
  'a=fmtp:96 packetization-mode=1; profile-level-id=42c01e; sprop-parameter-sets=Z0LAHtkAoC/5cBEAAAMAAQAAAwADwPFi5I,aMuDyyA=',
  'm=audio 0 RTP/AVP 8 97',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:97 mpeg4-generic/16000/1',
  'a=fmtp:97 streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1408',
  'a=control:trackID=2',
  '',
].join('\r\n');

export const SDPS: readonly string[] = [
  BODY,
  'v=0\r\nm=video 0 RTP/AVP 98\r\na=rtpmap:98 H265/90000\r\na=fmtp:98 sprop-vps=QAEMAf//AiAAAAMAkAAAAwAAAwA/koCQ; sprop-sps=QgEBAiAAAAMAkAAAAwAAAwA/oAUCAWlNJZJMrw==; sprop-pps=RAHBcrRiQA==; sprop-max-don-diff=1\r\na=control:rtsp://10.0.0.9:554/h265/track1\r\n',
  'm=video 0 RTP/AVP 26\nm=application 0 RTP/AVP 107\na=rtpmap:107 vnd.onvif.metadata/90000\n',
  'v=0\r\nm=video 49170/2 RTP/AVP 99 100\r\na=rtpmap:100 H264/90000/1\r\na=fmtp:100 sprop-parameter-sets=Z0LAHg==,aMuDyyA=;packetization-mode=0\r\na=framerate:25.0\r\na=x-dimensions:1920,1080\r\n',
];

const head = (lines: readonly string[], body = '') =>
  `${lines.join('\r\n')}\r\n${body === '' ? '' : `Content-Length: ${body.length}\r\n`}\r\n${body}`;

export const ANSWERS: readonly string[] = [
  head(['RTSP/1.0 200 OK', 'CSeq: 1', 'Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER']),
  head(
    [
      'RTSP/1.0 200 OK',
      'CSeq: 2',
      'Content-Base: rtsp://10.0.0.4/live/',
      'Content-Type: application/sdp',
    ],
    BODY,
  ),
  head([
    'RTSP/1.0 401 Unauthorized',
    'CSeq: 2',
    'WWW-Authenticate: Digest realm="IP Camera(C1234)", nonce="b9c0", stale="FALSE"',
    'WWW-Authenticate: Basic realm="IP Camera(C1234)"',
  ]),
  head([
    'RTSP/1.0 200 OK',
    'CSeq: 3',
    'Session: 1185733702;timeout=60',
    'Transport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=2fb7a3c1;mode="play"',
  ]),
  head(['RTSP/1.0 302 Moved', 'CSeq: 2', 'Location: rtsp://10.0.0.5:8554/x?y=1']),
  head(['OPTIONS rtsp://10.0.0.2/ RTSP/1.0', 'CSeq: 7', 'Session: 1']),
  head(['REDIRECT rtsp://10.0.0.2/ RTSP/1.0', 'CSeq: 8', 'Location: rtsp://10.0.0.5/']),
  head(['HTTP/1.1 200 OK', 'Content-Type: application/x-rtsp-tunnelled']),
];

export const TRANSPORTS: readonly string[] = [
  'RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=2fb7a3c1;mode="play"',
  'RTP/AVP;unicast;client_port=5000-5001;server_port=6970-6971;source=10.0.0.4;ssrc=1',
  'RTP/AVP/UDP;multicast;destination=239.1.2.3;port=5000-5001;ttl=127',
  'RTP/SAVP/TCP; interleaved = 4 - 5, RTP/AVP;unicast',
];

export const CHALLENGES: readonly string[] = [
  'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
  'Digest realm="r", nonce="n", algorithm=SHA-256, stale=true, qop=auth',
  'Digest realm="r \\"q\\"", nonce="n", algorithm=MD5-sess, charset=UTF-8',
  'Basic realm="a, b", Digest realm="r", nonce="n"',
  'Basic realm="/"',
];

export const CONTROLS: readonly string[] = [
  'rtsp://u:p%40@10.0.0.1:8554/a/b?c=1&d=2#frag|trackID=1',
  'rtsps://[fe80::1]:322/x|rtsp://u:p@d/x?y=1',
  'rtsp://cam.example|*',
  'rtsp://cam/a|/b/track1?x=2',
];

/** A sender report with a description, one beyond 2036, a receiver report with a goodbye. */
export const REPORTS: readonly string[] = [
  '80c800060000123ce6b3a1cd8000000000001000000000050000100081ca00050000123c01086e6967687461726500000000',
  '80c800060000123c0000000a00000000000000000000000100000002',
  '80c900010000123c81cb00010000123c',
  '81c8000c0000123ce6b3a1cd8000000000001000000000050000100000001111000000000000000100000002000000030000000481cb00010000123c',
];
