// Changes of retention that wait, with what they would delete: to confirm or to withdraw.

import { Alert, Button, Group, Modal, Text } from '@mantine/core';
import { IconClockExclamation } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Camera, PendingRetention as Pending, Retention } from '#contract';
import { calls } from '../api/calls.js';
import { useMay } from '../api/use-session.js';
import { formatBytes, formatMoment, formatPeriod, formatSpan } from '../format.js';
import { Fault } from '../shell/Fault.js';
import classes from './Storage.module.css';

/** On the pages of the camera and of the storage, as long as the change waits. */
export function PendingRetention({ camera }: { camera: Camera }) {
  const may = useMay();
  const decision = useDecision(camera.id);
  const pending = camera.pendingRetention;
  if (pending === undefined) return null;
  const leftMs = Date.parse(pending.effectiveAt) - Date.now();
  return (
    <Alert
      color="yellow"
      variant="light"
      p="sm"
      icon={<IconClockExclamation size={16} />}
      title={`${camera.name}: ${wordsOf(pending.retention)} waits for ${formatSpan(leftMs)}`}
      data-testid="pending-retention"
    >
      {effectOf(pending)} {pending.requestedBy} asked for it; it holds by itself from{' '}
      {formatMoment(Date.parse(pending.effectiveAt))}.
      <Fault error={decision.error} title="Not changed" />
      {may('POST', '/api/cameras/:id/pending-retention') && (
        <Group gap="xs" mt="xs">
          <Button
            variant="default"
            disabled={decision.isBusy}
            onClick={() => decision.withdraw()}
            data-testid="retention-withdraw"
          >
            Withdraw
          </Button>
          <Button
            color="red"
            disabled={decision.isBusy}
            onClick={() => decision.confirm()}
            data-testid="retention-confirm"
          >
            Delete now
          </Button>
        </Group>
      )}
    </Alert>
  );
}

/** Right after such a change was saved: what it deletes, and the three ways on from here. */
export function RetentionDialog({
  camera,
  onClose,
}: {
  readonly camera: Camera | undefined;
  onClose(): void;
}) {
  const decision = useDecision(camera?.id ?? '', onClose);
  const pending = camera?.pendingRetention;
  return (
    <Modal
      opened={pending !== undefined}
      onClose={onClose}
      title="This deletes footage"
      size={460}
      data-testid="retention-dialog"
    >
      {pending !== undefined && (
        <>
          <Text size="sm">
            {camera?.name}: {wordsOf(pending.retention)}.
          </Text>
          <dl className={classes.effect} data-testid="retention-effect">
            <dt>Would go</dt>
            <dd>
              {pending.effect.chunks === 0
                ? 'nothing that is there now'
                : `${formatBytes(pending.effect.bytes)} in ${pending.effect.chunks} files`}
            </dd>
            {periodOf(pending) !== undefined && (
              <>
                <dt>Recorded</dt>
                <dd>{periodOf(pending)}</dd>
              </>
            )}
            <dt>Not before</dt>
            <dd>{formatMoment(Date.parse(pending.effectiveAt))}, unless confirmed</dd>
          </dl>
          {(pending.effect.unavailable ?? []).length > 0 && (
            <Text size="sm" c="yellow" mt="xs">
              {pending.effect.unavailable?.join(', ')} did not answer and may hold more.
            </Text>
          )}
          <Text size="sm" c="dimmed" mt="xs">
            Until then the rules of before hold. To keep a part for longer, place a legal hold or
            export it.
          </Text>
          <Fault error={decision.error} title="Not changed" />
          <Group justify="flex-end" mt="md" gap="xs">
            <Button
              variant="subtle"
              color="gray"
              disabled={decision.isBusy}
              onClick={() => decision.withdraw()}
              data-testid="dialog-withdraw"
            >
              Withdraw
            </Button>
            <Button
              variant="light"
              color="red"
              disabled={decision.isBusy}
              onClick={() => decision.confirm()}
              data-testid="dialog-confirm"
            >
              Delete now
            </Button>
            <Button onClick={onClose} data-autofocus data-testid="dialog-wait">
              Wait 24 hours
            </Button>
          </Group>
        </>
      )}
    </Modal>
  );
}

function useDecision(id: string, onDone?: () => void) {
  const client = useQueryClient();
  const onSuccess = async () => {
    await client.invalidateQueries({ queryKey: ['cameras'] });
    onDone?.();
  };
  const confirm = useMutation({ mutationFn: () => calls.confirmRetention(id), onSuccess });
  const withdraw = useMutation({ mutationFn: () => calls.withdrawRetention(id), onSuccess });
  return {
    confirm: () => confirm.mutate(),
    withdraw: () => withdraw.mutate(),
    isBusy: confirm.isPending || withdraw.isPending,
    error: confirm.error ?? withdraw.error,
  };
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

function periodOf({ effect: { from, to } }: Pending): string | undefined {
  if (from === undefined || to === undefined) return undefined;
  return formatPeriod(Date.parse(from), Date.parse(to));
}

function effectOf(pending: Pending): string {
  const { bytes, unavailable = [] } = pending.effect;
  const missing =
    unavailable.length === 0 ? '' : ` ${unavailable.join(', ')} did not answer and may hold more.`;
  const period = periodOf(pending);
  if (period === undefined) return `Nothing that is there now would go.${missing}`;
  return `Deletes ${formatBytes(bytes)}, ${period}.${missing}`;
}
