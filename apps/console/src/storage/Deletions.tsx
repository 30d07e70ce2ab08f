// What goes next and why, and what has gone, when, under which rule.

import { Button, Table } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Storage } from '#contract';
import { calls } from '../api/calls.js';
import {
  formatBytes,
  formatDay,
  formatMomentIso,
  formatShortClock,
  formatSpan,
} from '../format.js';
import pages from '../pages/Pages.module.css';
import { Fault } from '../shell/Fault.js';
import { ruleText } from './storage-words.js';

const NEXT_SHOWN = 12;

type NameOf = (id: string) => string;

interface Footage {
  readonly camera: string;
  readonly rule: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly bytes: number;
}

/** Rows of when something goes or went, and `DeletedCells`. */
function DeletionTable({ children }: { readonly children: ReactNode }) {
  return (
    <Table className={`${pages.table} ${pages.narrow}`} horizontalSpacing={8}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>When</Table.Th>
          <Table.Th>Camera</Table.Th>
          <Table.Th>For</Table.Th>
          <Table.Th>Footage from</Table.Th>
          <Table.Th ta="right">Size</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>{children}</Table.Tbody>
    </Table>
  );
}

function DeletedCells({ row, nameOf }: { readonly row: Footage; readonly nameOf: NameOf }) {
  const { camera, rule, from, to, bytes } = row;
  return (
    <>
      <Table.Td>{nameOf(camera)}</Table.Td>
      <Table.Td>{ruleText(rule)}</Table.Td>
      <Table.Td className={pages.dim}>
        {from !== undefined &&
          to !== undefined &&
          `${formatDay(Date.parse(from))} ${formatShortClock(Date.parse(from))}, ` +
            formatSpan(Date.parse(to) - Date.parse(from))}
      </Table.Td>
      <Table.Td ta="right">{formatBytes(bytes)}</Table.Td>
    </>
  );
}

export function NextDeletions({
  rows,
  nameOf,
}: {
  readonly rows: Storage['nextDeletions'];
  readonly nameOf: NameOf;
}) {
  const nowMs = Date.now();
  return (
    <section data-testid="next-deletions">
      <h2>Goes next</h2>
      {rows.length === 0 && <p className={pages.quiet}>Nothing is due for deletion.</p>}
      {rows.length > 0 && (
        <div className={pages.tableBox}>
          <DeletionTable>
            {rows.slice(0, NEXT_SHOWN).map((row, index) => (
              <Table.Tr key={`${row.camera}-${row.at}-${index}`}>
                <Table.Td title={formatMomentIso(row.at)}>
                  {Date.parse(row.at) <= nowMs + 60_000
                    ? 'now'
                    : `in ${formatSpan(Date.parse(row.at) - nowMs)}`}
                </Table.Td>
                <DeletedCells row={row} nameOf={nameOf} />
              </Table.Tr>
            ))}
          </DeletionTable>
        </div>
      )}
    </section>
  );
}

export function PastDeletions({ nameOf }: { readonly nameOf: NameOf }) {
  const past = useInfiniteQuery({
    queryKey: ['deletions'],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => calls.deletions(pageParam),
    getNextPageParam: (last) => last.cursor,
    refetchInterval: 10_000,
  });
  const rows = past.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section data-testid="past-deletions">
      <h2>Deleted</h2>
      <Fault error={past.error} title="The deletions cannot be read" />
      {past.isSuccess && rows.length === 0 && (
        <p className={pages.quiet}>No footage has been deleted yet.</p>
      )}
      {rows.length > 0 && (
        <div className={pages.tableBox}>
          <DeletionTable>
            {rows.map((row) => (
              <Table.Tr key={row.id} data-testid="past-deletion">
                <Table.Td title={`${formatMomentIso(row.at)}, ${row.recorder}: ${row.chunk}`}>
                  {formatDay(Date.parse(row.at))} {formatShortClock(Date.parse(row.at))}
                </Table.Td>
                <DeletedCells row={row} nameOf={nameOf} />
              </Table.Tr>
            ))}
          </DeletionTable>
          {past.hasNextPage && (
            <div className={pages.more}>
              <Button
                variant="default"
                loading={past.isFetchingNextPage}
                onClick={() => void past.fetchNextPage()}
              >
                Earlier deletions
              </Button>
            </div>
          )}
        </div>
      )}
    </section>
  );
}
