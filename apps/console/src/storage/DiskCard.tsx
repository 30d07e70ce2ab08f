// A store directory: what is on its disk, where its watermarks are, and what is wrong with it.

import type { Storage } from '#contract';
import { formatBytes, toSentence } from '../format.js';
import pages from '../pages/Pages.module.css';
import classes from './Storage.module.css';
import { stateOf } from './storage-words.js';

interface DiskCardProps {
  readonly disk: Storage['disks'][number];
  /** For recorders that do not say them of each disk. */
  readonly watermarks: Storage['watermarks'];
  /** Whether footage can go elsewhere meanwhile. */
  readonly othersRecord: boolean;
}

export function DiskCard({ disk, watermarks: common, othersRecord }: DiskCardProps) {
  const { lowBytes, criticalBytes, stopBytes } = disk.watermarks ?? common;
  const share = (bytes: number) =>
    `${Math.max(0, Math.min(100, (bytes / Math.max(1, disk.sizeBytes)) * 100))}%`;
  const other = Math.max(0, disk.sizeBytes - disk.freeBytes - disk.footageBytes);
  const { text, level, records } = stateOf(disk);
  const marks = [
    { name: 'low', bytes: lowBytes, hint: 'below this much free space the oldest footage goes' },
    { name: 'critical', bytes: criticalBytes, hint: 'here it goes at once, whosever it is' },
    { name: 'stop', bytes: stopBytes, hint: 'here recording stops: the reserve of the index' },
  ];
  return (
    <article className={pages.disk} data-testid="disk" data-state={disk.state} data-level={level}>
      <header>
        <b>{disk.path}</b>
        <span className={pages.state} data-level={level}>
          {text}
        </span>
      </header>
      {disk.reason !== undefined && (
        <p className={classes.reason} data-level={level} data-testid="disk-reason">
          {toSentence(disk.reason)}
        </p>
      )}
      {!records && (
        <p className={pages.quiet}>
          {othersRecord
            ? 'Recording goes on on the other disks, and comes back here by itself.'
            : 'No disk takes footage now. Recording begins again by itself.'}
        </p>
      )}
      {disk.state !== 'failed' && (
        <>
          <div className={pages.meter}>
            <i style={{ width: share(disk.footageBytes) }} title="Footage" />
            <i style={{ width: share(other) }} data-kind="other" title="Other files" />
            {marks.map(({ name, bytes }) => (
              <u key={name} style={{ right: share(bytes) }} data-mark={name} />
            ))}
          </div>
          <div className={pages.legend}>
            <span>
              <b className={classes.strong}>{formatBytes(disk.freeBytes)}</b> free of{' '}
              {formatBytes(disk.sizeBytes)}
            </span>
            <span>
              <i className={classes.key} /> {formatBytes(disk.footageBytes)} footage
            </span>
            <span>
              <i className={classes.key} data-kind="other" /> {formatBytes(other)} other
            </span>
          </div>
          <dl className={classes.marks} data-testid="watermarks">
            {marks.map(({ name, bytes, hint }) => (
              <div key={name} title={`${name}: ${hint}`}>
                <dt>
                  <i data-mark={name} />
                  {name}
                </dt>
                <dd>{formatBytes(bytes)}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </article>
  );
}
