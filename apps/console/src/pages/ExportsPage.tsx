// Exports: their progress, their files, and new ones over several cameras.

import { Anchor, Button, Progress, Table } from '@mantine/core';
import { IconDownload, IconPlus } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Export } from '#contract';
import { calls } from '../api/calls.js';
import { fillPath } from '../api/paths.js';
import { useCameras } from '../api/queries.js';
import { ExportDialog, type ExportDraft } from '../camera/ExportDialog.js';
import { formatBytes, formatMoment, formatPercent, formatSpan } from '../format.js';
import { Fault } from '../shell/Fault.js';
import { Page } from '../shell/Page.js';
import classes from './Pages.module.css';

const MINUTE_MS = 60_000;

export function ExportsPage() {
  const { cameras } = useCameras();
  const [draft, setDraft] = useState<ExportDraft>();
  const client = useQueryClient();
  const list = useInfiniteQuery({
    queryKey: ['exports'],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => calls.exports(pageParam),
    getNextPageParam: (last) => last.cursor,
    refetchInterval: (query) =>
      query.state.data?.pages.some((page) =>
        page.items.some((item) => item.state === 'waiting' || item.state === 'running'),
      ) === true
        ? 1000
        : 15_000,
  });
  const remove = useMutation({
    mutationFn: (id: string) => calls.deleteExport(id),
    onSettled: () => client.invalidateQueries({ queryKey: ['exports'] }),
  });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const names = new Map(cameras.map((camera) => [camera.id, camera.name]));
  const begin = () => {
    const toMs = Date.now() - MINUTE_MS;
    setDraft({ cameras: [], fromMs: toMs - 10 * MINUTE_MS, toMs });
  };
  return (
    <Page
      title="Exports"
      name="Exports"
      tools={
        <Button leftSection={<IconPlus size={15} />} onClick={begin} data-testid="export-new">
          New export
        </Button>
      }
    >
      <Fault
        error={list.error}
        title="The exports cannot be listed"
        onRetry={() => void list.refetch()}
      />
      <Fault error={remove.error} title="Not deleted" />
      {list.isSuccess && items.length === 0 && (
        <p className={classes.quiet}>
          Nothing has been exported yet. Mark a range on a camera’s timeline and press Export, or
          start one here for several cameras.
        </p>
      )}
      {items.length > 0 && (
        <div className={classes.tableBox}>
          <Table className={classes.table}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Cameras</Table.Th>
                <Table.Th>Period</Table.Th>
                <Table.Th>Note</Table.Th>
                <Table.Th>Picture</Table.Th>
                <Table.Th>By</Table.Th>
                <Table.Th w={230}>State</Table.Th>
                <Table.Th aria-label="Actions" />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {items.map((item) => (
                <Table.Tr key={item.id} data-testid="export-row" data-state={item.state}>
                  <Table.Td className={classes.wide}>
                    {item.cameras.map((id) => names.get(id) ?? 'deleted camera').join(', ')}
                  </Table.Td>
                  <Table.Td>
                    {formatMoment(Date.parse(item.from))}
                    <div className={classes.detail}>
                      {formatSpan(Date.parse(item.to) - Date.parse(item.from))}
                    </div>
                  </Table.Td>
                  <Table.Td className={classes.wide}>{item.note}</Table.Td>
                  <Table.Td>
                    {item.rendition === 'source' ? 'As recorded' : item.rendition}
                  </Table.Td>
                  <Table.Td>
                    {item.createdBy}
                    <div className={classes.detail}>{formatMoment(Date.parse(item.createdAt))}</div>
                  </Table.Td>
                  <Table.Td>
                    <ExportState item={item} />
                  </Table.Td>
                  <Table.Td ta="right">
                    <ExportActions
                      item={item}
                      busy={remove.isPending}
                      onRemove={() => remove.mutate(item.id)}
                    />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      {list.hasNextPage && (
        <div className={classes.more}>
          <Button variant="default" onClick={() => void list.fetchNextPage()}>
            Older exports
          </Button>
        </div>
      )}
      <ExportDialog draft={draft} onClose={() => setDraft(undefined)} />
    </Page>
  );
}

function ExportState({ item }: { item: Export }) {
  switch (item.state) {
    case 'waiting':
      return <span className={classes.state}>waiting for its turn</span>;
    case 'running':
      return (
        <>
          <Progress value={item.progress * 100} size="sm" aria-label="Progress" />
          <div className={classes.detail}>{formatPercent(item.progress)}</div>
        </>
      );
    case 'done':
      return (
        <span className={classes.state} data-level="ok">
          ready{item.sizeBytes === undefined ? '' : `, ${formatBytes(item.sizeBytes)}`}
        </span>
      );
    case 'cancelled':
      return <span className={classes.state}>cancelled</span>;
    case 'failed':
      return (
        <>
          <span className={classes.state} data-level="bad">
            failed
          </span>
          <div className={classes.detail}>{item.error ?? 'No reason was noted.'}</div>
        </>
      );
  }
}

function ExportActions({
  item,
  busy,
  onRemove,
}: {
  item: Export;
  busy: boolean;
  onRemove: () => void;
}) {
  const going = item.state === 'waiting' || item.state === 'running';
  return (
    <div style={{ display: 'flex', gap: 10, justifyContent: 'flex-end', alignItems: 'center' }}>
      {item.state === 'done' && (
        <Button
          component="a"
          href={fillPath('/api/exports/:id/file', { id: item.id })}
          download=""
          variant="light"
          leftSection={<IconDownload size={15} />}
          data-testid="export-download"
        >
          ZIP
        </Button>
      )}
      <Anchor component="button" size="sm" c="dimmed" disabled={busy} onClick={onRemove}>
        {going ? 'Cancel' : 'Delete'}
      </Anchor>
    </div>
  );
}
