// A camera's streams: what each is, what is wrong with it as a sentence, and its numbers in a table.

import type { CameraStatus } from '#contract';
import { soundWords, streamWords } from './status-words.js';
import {
  findingsOf,
  reasonsOf,
  rowsInAll,
  rowsNow,
  trackName,
  type TrackRow,
} from './track-words.js';
import classes from './Tracks.module.css';
import panel from './Camera.module.css';

export function TrackPanel({ status }: { status: CameraStatus | undefined }) {
  const tracks = status?.tracks ?? [];
  if (tracks.length === 0) return undefined;
  const names = tracks.map(trackName);
  return (
    <section className={panel.panelSection} data-testid="camera-tracks">
      <h2>Streams</h2>
      <ul className={classes.streams}>
        {tracks.map((track) => (
          <li key={track.track}>
            <span>
              <b>{trackName(track)}</b>{' '}
              {track.track === 'audio' ? soundWords(track) : shape(track) || 'nothing yet'}
            </span>
            {findingsOf(track).map(({ level, text }) => (
              <p key={text} className={classes.finding} data-level={level}>
                {text}
              </p>
            ))}
          </li>
        ))}
      </ul>
      <Numbers names={names} rows={rowsNow(tracks)} />
      <details className={classes.more}>
        <summary>Since the recorder started</summary>
        <Numbers names={names} rows={rowsInAll(tracks)} />
        {tracks.flatMap(reasonsOf).map((text) => (
          <p key={text}>{text}</p>
        ))}
      </details>
    </section>
  );
}

/** Without what the table says. */
const shape = ({ codec, width, height }: CameraStatus['tracks'][number]) =>
  streamWords({ codec, width, height });

function Numbers({ names, rows }: { names: readonly string[]; rows: readonly TrackRow[] }) {
  return (
    <table className={classes.numbers}>
      <thead>
        <tr>
          <td />
          {names.map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, title, cells }) => (
          <tr key={name}>
            <th scope="row" title={title}>
              {name}
            </th>
            {cells.map((cell, index) => (
              <td key={names[index]} data-level={cell?.level}>
                {cell?.text ?? '–'}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
