// HLS playlists (RFC 8216) that follow each other in time, as one.

/** What stands once in the whole. */
const HEADS =
  /^#(EXTM3U|EXT-X-(VERSION|TARGETDURATION|MEDIA-SEQUENCE|PLAYLIST-TYPE|INDEPENDENT-SEGMENTS|START|ENDLIST)\b)/;

/** `query` goes onto every address of its playlist. The player's clock is set anew where one ends. */
export function joinPlaylists(
  playlists: readonly { readonly text: string; readonly query: string }[],
): string {
  const split = playlists.map(({ text, query }) => {
    const lines = text.split('\n').filter((line) => line !== '');
    const isHead = (line: string) => HEADS.test(line);
    return {
      heads: lines.filter(isHead),
      body: lines.filter((line) => !isHead(line)).map((line) => withQuery(line, query)),
    };
  });
  const longest = Math.max(
    1,
    ...split.flatMap(({ heads }) =>
      heads.map((line) => Number(/^#EXT-X-TARGETDURATION:(\d+)/.exec(line)?.[1] ?? 0)),
    ),
  );
  const heads = (split[0]?.heads ?? ['#EXTM3U'])
    .filter((line) => line !== '#EXT-X-ENDLIST')
    .map((line) =>
      line.startsWith('#EXT-X-TARGETDURATION:') ? `#EXT-X-TARGETDURATION:${longest}` : line,
    );
  const bodies = split.map(({ body }) => body).filter((body) => body.length > 0);
  return [
    ...heads,
    ...bodies.flatMap((body, index) => (index === 0 ? body : ['#EXT-X-DISCONTINUITY', ...body])),
    '#EXT-X-ENDLIST',
    '',
  ].join('\n');
}

function withQuery(line: string, query: string): string {
  if (!line.startsWith('#')) return line + query;
  return line.replace(/URI="([^"]*)"/, (_, address: string) => `URI="${address}${query}"`);
}
