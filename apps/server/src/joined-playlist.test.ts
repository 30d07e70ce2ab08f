// Playlists of two recorders become one that a player takes.

import { joinPlaylists } from './joined-playlist.js';

const playlist = (longest: number, from: number) => `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:${longest}
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-START:TIME-OFFSET=${from}.5,PRECISE=YES
#EXT-X-MAP:URI="init.mp4?from=${from}"
#EXTINF:4.0,
slice.m4s?from=${from}
#EXT-X-ENDLIST
`;

test('one head, every address with its recorder, a discontinuity between', () => {
  const joined = joinPlaylists([
    { text: playlist(4, 1), query: '&on=a' },
    { text: playlist(6, 2), query: '&on=b' },
  ]);
  expect(joined).toBe(`#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:6
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-START:TIME-OFFSET=1.5,PRECISE=YES
#EXT-X-MAP:URI="init.mp4?from=1&on=a"
#EXTINF:4.0,
slice.m4s?from=1&on=a
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init.mp4?from=2&on=b"
#EXTINF:4.0,
slice.m4s?from=2&on=b
#EXT-X-ENDLIST
`);
});

test('a playlist without slices adds nothing', () => {
  const empty = playlist(9, 3).replace(/#EXT-X-MAP[^]*slice.*\n/, '');
  const joined = joinPlaylists([
    { text: playlist(4, 1), query: '' },
    { text: empty, query: '&on=b' },
  ]);
  expect(joined).not.toContain('DISCONTINUITY');
  expect(joined.match(/EXTINF/g)).toHaveLength(1);
});
