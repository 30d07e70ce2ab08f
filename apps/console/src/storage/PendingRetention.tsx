// Changes of retention that wait, with what they would delete: to confirm or to withdraw.

import { Alert, Button, Group } from '@mantine/core';
import { IconClockExclamation } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Camera, PendingRetention as Pending, Retention } from '#contract';
import { calls } from '../api/calls.js';
import { useMay } from '../api/use-session.js';
import { formatBytes, formatMoment } from '../format.js';
import { Fault } from '../shell/Fault.js';

export function PendingRetention({ camera }: { camera: Camera }) {
  const client = useQueryClient();
  const may = useMay();
  const onSuccess = () => client.invalidateQueries({ queryKey: ['cameras'] });
  const confirm = useMutation({
    mutationFn: () => calls.confirmRetention(camera.id),
    onSuccess,
  });
  const withdraw = useMutation({
    mutationFn: () => calls.withdrawRetention(camera.id),
    onSuccess,
  });
  const pending = camera.pendingRetention;
  if (pending === undefined) return null;
  const isBusy = confirm.isPending || withdraw.isPending;
  return (
    <Alert
      color="yellow"
      variant="light"
      p="sm"
      icon={<IconClockExclamation size={16} />}
      title={`${camera.name}: ${wordsOf(pending.retention)}`}
      data-testid="pending-retention"
    >
      {effectOf(pending)} {pending.requestedBy} asked for it; it holds by itself from{' '}
      {formatMoment(Date.parse(pending.effectiveAt))}.
      <Fault error={confirm.error ?? withdraw.error} title="Not changed" />
      {may('POST', '/api/cameras/:id/pending-retention') && (
        <Group gap="xs" mt="xs">
          <Button
            size="xs"
            variant="default"
            disabled={isBusy}
            onClick={() => withdraw.mutate()}
            data-testid="retention-withdraw"
          >
            Withdraw
          </Button>
          <Button
            size="xs"
            color="red"
            disabled={isBusy}
            onClick={() => confirm.mutate()}
            data-testid="retention-confirm"
          >
            Delete now
          </Button>
        </Group>
      )}
    </Alert>
  );
}

function wordsOf(retention: Retention): string {
  const { days, motionDays, lowresDays, minDays, maxBytes } = retention;
  return [
    `keep ${days} d`,
    motionDays === undefined ? '' : `movement ${motionDays} d`,
    lowresDays === undefined ? '' : `low resolution ${lowresDays} d`,
    minDays === undefined ? '' : `at least ${minDays} d`,
    maxBytes === undefined ? '' : `at most ${formatBytes(maxBytes)}`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}

function effectOf({ effect }: Pending): string {
  const { bytes, from, to, unavailable = [] } = effect;
  const missing =
    unavailable.length === 0 ? '' : ` ${unavailable.join(', ')} did not answer and may hold more.`;
  if (from === undefined || to === undefined)
    return `Nothing that is there now would go.${missing}`;
  const period = `${formatMoment(Date.parse(from))} to ${formatMoment(Date.parse(to))}`;
  return `Deletes ${formatBytes(bytes)}, ${period}.${missing}`;
}
