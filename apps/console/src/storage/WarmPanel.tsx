// The warm tier: how whole its stripes are, what each of its directories lacks, how far mending is.

import type { Storage } from '#contract';
import { formatBytes, toSentence } from '../format.js';
import pages from '../pages/Pages.module.css';
import classes from './Storage.module.css';
import { countText } from './storage-words.js';

type Tier = Storage['warmTiers'][number];

const STATE: Record<Tier['state'], { text: string; level: 'ok' | 'quiet' | 'warn' | 'bad' }> = {
  off: { text: 'takes nothing new', level: 'bad' },
  idle: { text: 'ok', level: 'ok' },
  moving: { text: 'takes up footage', level: 'ok' },
  mending: { text: 'mending', level: 'warn' },
};

export function WarmPanel({ tiers }: { tiers: readonly Tier[] }) {
  if (tiers.length === 0) return null;
  return (
    <section data-testid="warm">
      <h2>Warm tier</h2>
      <p className={pages.quiet}>
        Older chunks lie as stripes of 14 shards over 14 directories, at 1.4 times their bytes: any
        four may be lost without loss of footage.
      </p>
      <div className={classes.tiers}>
        {tiers.map((tier) => (
          <WarmTier key={tier.recorder} tier={tier} />
        ))}
      </div>
    </section>
  );
}

function WarmTier({ tier }: { tier: Tier }) {
  const { recorder, state, reason, bytes, chunks, mending, directories } = tier;
  const { whole, degraded, lost } = tier.stripes ?? {
    ...{ whole: chunks - tier.lostStripes, degraded: 0, lost: tier.lostStripes },
  };
  const all = Math.max(1, whole + degraded + lost);
  const degradedState = { text: 'degraded', level: 'warn' } as const;
  const { text, level } =
    lost > 0 && state === 'idle'
      ? ({ text: 'footage is lost', level: 'bad' } as const)
      : degraded > 0 && state === 'idle'
        ? degradedState
        : STATE[state];
  const width = (count: number) => ({ width: `${(count / all) * 100}%` });
  return (
    <article className={pages.disk} data-testid="warm-tier" data-state={state}>
      <header>
        <b>{recorder}</b>
        <span className={pages.state} data-level={level}>
          {text}
        </span>
      </header>
      {reason !== undefined && (
        <p className={classes.reason} data-level="bad">
          {toSentence(reason)}
        </p>
      )}
      <div className={pages.meter}>
        <i style={width(whole)} title="Whole" />
        <i style={width(degraded)} data-kind="degraded" title="Degraded" />
        <i style={width(lost)} data-kind="lost" title="Lost" />
      </div>
      <div className={pages.legend} data-testid="stripes">
        <span>
          <b className={classes.strong}>{formatBytes(bytes)}</b> footage
        </span>
        <span>
          <i className={classes.key} /> {countText(whole)} of {countText(whole + degraded + lost)}{' '}
          stripes whole
        </span>
        {degraded > 0 && (
          <span>
            <i className={classes.key} data-kind="degraded" /> {countText(degraded)} degraded,
            nothing lost
          </span>
        )}
        {lost > 0 && (
          <span>
            <i className={classes.key} data-kind="lost" /> {countText(lost)} lost
          </span>
        )}
      </div>
      {mending !== undefined && (
        <div className={classes.progress} data-testid="mending">
          <span>
            Mending: {countText(mending.done)} of {countText(mending.total)} stripes
          </span>
          <div className={pages.meter}>
            <i style={{ width: `${(mending.done / Math.max(1, mending.total)) * 100}%` }} />
          </div>
        </div>
      )}
      <ol className={classes.slots}>
        {directories.map((directory) => (
          <Slot key={directory.path} directory={directory} recorder={recorder} />
        ))}
      </ol>
    </article>
  );
}

const AWAY = { slow: 'too slow', full: 'full', failed: 'away' } as const;

function Slot({
  directory,
  recorder,
}: {
  readonly directory: Tier['directories'][number];
  readonly recorder: string;
}) {
  const { path, slot, state, reason, missingShards = 0, sizeBytes, freeBytes } = directory;
  const level = state !== 'ok' ? 'bad' : missingShards > 0 ? 'warn' : 'ok';
  const what =
    state !== 'ok'
      ? AWAY[state]
      : missingShards > 0
        ? `lacks ${countText(missingShards)}`
        : `${formatBytes(freeBytes)} free`;
  const hint = reason === undefined ? `of ${formatBytes(sizeBytes)}` : toSentence(reason);
  return (
    <li data-level={level} data-testid="warm-slot" title={`${path}: ${hint}`}>
      <b>{slot ?? '?'}</b>
      <span className={classes.path}>{path.replace(`/${recorder}`, '')}</span>
      <span className={pages.state} data-level={level}>
        {what}
      </span>
    </li>
  );
}
