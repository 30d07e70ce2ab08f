// The reading of every sealed chunk in the background: how far it is, and what it found.

import { Table } from '@mantine/core';
import { Link } from 'react-router';
import type { Storage } from '#contract';
import { formatBytes, formatMomentIso, formatPercent, formatSpan } from '../format.js';
import pages from '../pages/Pages.module.css';
import { daysText, scrubShare } from './storage-words.js';

const FINDS_SHOWN = 10;

type Scrub = Storage['scrubs'][number];

interface ScrubPanelProps {
  readonly scrubs: readonly Scrub[];
  nameOf(id: string): string;
}

export function ScrubPanel({ scrubs, nameOf }: ScrubPanelProps) {
  const finds = scrubs.flatMap(({ damage }) => damage);
  return (
    <section data-testid="scrub">
      <h2>Integrity</h2>
      <p className={pages.quiet}>
        Every sealed chunk is read again in the background: its checksums, its seal and the chain of
        seals. What is damaged is skipped on playback and shown as a gap.
      </p>
      {scrubs.length > 0 && (
        <div className={pages.tableBox}>
          <Table className={`${pages.table} ${pages.narrow}`}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Recorder</Table.Th>
                <Table.Th w="34%">Round</Table.Th>
                <Table.Th>Read whole</Table.Th>
                <Table.Th ta="right">Damaged</Table.Th>
                <Table.Th ta="right">Broken seals</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {scrubs.map((scrub) => (
                <ScrubRow key={scrub.recorder} scrub={scrub} />
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      {finds.length > 0 && (
        <div className={pages.tableBox} style={{ marginTop: 10 }} data-testid="damage">
          <Table className={`${pages.table} ${pages.narrow}`}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Damaged footage</Table.Th>
                <Table.Th>Stream</Table.Th>
                <Table.Th>From</Table.Th>
                <Table.Th ta="right">Lost</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {finds.slice(0, FINDS_SHOWN).map(({ camera, track, from, to }) => (
                <Table.Tr key={`${camera} ${track} ${from}`}>
                  <Table.Td>
                    <Link to={`/cameras/${camera}?at=${from}`} className={pages.strongLink}>
                      {nameOf(camera)}
                    </Link>
                  </Table.Td>
                  <Table.Td className={pages.dim}>{track}</Table.Td>
                  <Table.Td>{formatMomentIso(from)}</Table.Td>
                  <Table.Td ta="right">
                    {formatSpan(Math.max(1000, Date.parse(to) - Date.parse(from)))}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
          {finds.length > FINDS_SHOWN && (
            <div className={pages.more}>and {finds.length - FINDS_SHOWN} more</div>
          )}
        </div>
      )}
    </section>
  );
}

function ScrubRow({ scrub }: { scrub: Scrub }) {
  const { recorder, state, periodDays, bytes, totalBytes, completedAt } = scrub;
  const share = scrubShare(scrub);
  const words =
    state === 'off'
      ? 'switched off'
      : state === 'resting'
        ? `rests until the next, every ${daysText(periodDays)}`
        : `${formatPercent(share)}, ${formatBytes(bytes)} of ${formatBytes(totalBytes)}`;
  return (
    <Table.Tr data-testid="scrub-row">
      <Table.Td>{recorder}</Table.Td>
      <Table.Td>
        {state === 'reading' && (
          <div className={pages.meter} style={{ marginBottom: 4 }}>
            <i style={{ width: `${share * 100}%` }} />
          </div>
        )}
        <span className={pages.dim}>{words}</span>
      </Table.Td>
      <Table.Td className={pages.dim}>
        {completedAt === undefined ? 'not yet' : formatMomentIso(completedAt)}
      </Table.Td>
      <Table.Td ta="right">
        <Count value={scrub.damagedChunks} />
      </Table.Td>
      <Table.Td ta="right">
        <Count value={scrub.brokenSeals} />
      </Table.Td>
    </Table.Tr>
  );
}

function Count({ value }: { value: number }) {
  return (
    <span className={pages.state} data-level={value === 0 ? 'ok' : 'bad'}>
      {value === 0 ? 'none' : value}
    </span>
  );
}
