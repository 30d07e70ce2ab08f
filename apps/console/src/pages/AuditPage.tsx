// Who did what, newest first.

import { Button, SegmentedControl, Table, TextInput } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { AuditEntry } from '#contract';
import { calls } from '../api/calls.js';
import { useCameras } from '../api/queries.js';
import { formatMomentIso } from '../format.js';
import { Fault } from '../shell/Fault.js';
import { Page } from '../shell/Page.js';
import classes from './Pages.module.css';

export function AuditPage() {
  const { cameras } = useCameras();
  const [text, setText] = useState('');
  const [outcome, setOutcome] = useState('all');
  const audit = useInfiniteQuery({
    queryKey: ['audit'],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => calls.audit(pageParam),
    getNextPageParam: (last) => last.cursor,
    refetchInterval: 15_000,
  });
  const names = new Map(cameras.map((camera) => [camera.id, camera.name]));
  const wanted = text.trim().toLowerCase();
  const items = (audit.data?.pages.flatMap((page) => page.items) ?? []).filter((entry) => {
    if (outcome === 'trouble' && entry.outcome === 'ok') return false;
    const words = `${entry.actor} ${entry.action} ${names.get(entry.subject ?? '') ?? ''} ${entry.subject ?? ''}`;
    return words.toLowerCase().includes(wanted);
  });
  return (
    <Page
      title="Audit"
      name="Audit"
      tools={
        <>
          <TextInput
            size="xs"
            placeholder="User, action or camera"
            aria-label="Filter"
            value={text}
            onChange={(change) => setText(change.currentTarget.value)}
          />
          <SegmentedControl
            data={[
              { value: 'all', label: 'All' },
              { value: 'trouble', label: 'Denied and failed' },
            ]}
            value={outcome}
            onChange={setOutcome}
          />
        </>
      }
    >
      <Fault
        error={audit.error}
        title="The audit log cannot be read"
        onRetry={() => void audit.refetch()}
      />
      {audit.isSuccess && items.length === 0 && <p className={classes.quiet}>No entry matches.</p>}
      {items.length > 0 && (
        <div className={classes.tableBox}>
          <Table className={classes.table}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>When</Table.Th>
                <Table.Th>Who</Table.Th>
                <Table.Th>From</Table.Th>
                <Table.Th>Did what</Table.Th>
                <Table.Th>To what</Table.Th>
                <Table.Th>Outcome</Table.Th>
                <Table.Th>Detail</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {items.map((entry) => (
                <Table.Tr key={entry.id}>
                  <Table.Td className={classes.dim}>{formatMomentIso(entry.at)}</Table.Td>
                  <Table.Td fw={600}>{entry.actor}</Table.Td>
                  <Table.Td className={classes.dim}>{entry.address}</Table.Td>
                  <Table.Td>{entry.action}</Table.Td>
                  <Table.Td>
                    {entry.subject === undefined ? '' : (names.get(entry.subject) ?? entry.subject)}
                  </Table.Td>
                  <Table.Td className={classes.outcome} data-outcome={entry.outcome}>
                    {entry.outcome}
                  </Table.Td>
                  <Table.Td className={classes.detail}>{detailText(entry.detail)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      {audit.hasNextPage && (
        <div className={classes.more}>
          <Button
            variant="default"
            loading={audit.isFetchingNextPage}
            onClick={() => void audit.fetchNextPage()}
          >
            Older entries
          </Button>
        </div>
      )}
    </Page>
  );
}

function detailText(detail: AuditEntry['detail']): string {
  return Object.entries(detail)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
