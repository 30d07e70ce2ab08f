// Legal holds: footage that nothing deletes, who asked for it, and whether every recorder agrees.

import {
  Anchor,
  Button,
  Group,
  Modal,
  MultiSelect,
  Stack,
  Table,
  Text,
  Textarea,
} from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Hold } from '#contract';
import { calls } from '../api/calls.js';
import { useCameras, useHolds } from '../api/queries.js';
import { useMay } from '../api/use-session.js';
import { MomentInput } from '../form/MomentInput.js';
import { formatMoment } from '../format.js';
import classes from '../pages/Pages.module.css';
import { Fault } from '../shell/Fault.js';

export function Holds({ nameOf }: { nameOf: (id: string) => string }) {
  const may = useMay();
  const holds = useHolds(true);
  const [adding, setAdding] = useState(false);
  const [lifting, setLifting] = useState<Hold>();
  const items = holds.data?.items ?? [];
  const mayLift = may('DELETE', '/api/holds/:id');
  return (
    <section>
      <h2>
        Legal holds
        {may('POST', '/api/holds') && (
          <Button
            variant="default"
            size="compact-xs"
            leftSection={<IconPlus size={14} />}
            onClick={() => setAdding(true)}
            data-testid="hold-add"
          >
            Place a hold
          </Button>
        )}
      </h2>
      <Fault
        error={holds.error}
        title="Holds cannot be listed"
        onRetry={() => void holds.refetch()}
      />
      {holds.isSuccess && items.length === 0 && (
        <p className={classes.quiet}>
          No footage is held. A hold keeps footage whatever retention and space rules say.
        </p>
      )}
      {items.length > 0 && (
        <div className={classes.tableBox}>
          <Table className={classes.table}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Cameras</Table.Th>
                <Table.Th>From</Table.Th>
                <Table.Th>To</Table.Th>
                <Table.Th>Reason</Table.Th>
                <Table.Th>By</Table.Th>
                <Table.Th>State</Table.Th>
                {mayLift && <Table.Th aria-label="Actions" />}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {items.map((hold) => (
                <Table.Tr key={hold.id} data-testid="hold-row">
                  <Table.Td className={classes.wide}>
                    {hold.cameras.map(nameOf).join(', ')}
                  </Table.Td>
                  <Table.Td>{formatMoment(Date.parse(hold.from))}</Table.Td>
                  <Table.Td>{formatMoment(Date.parse(hold.to))}</Table.Td>
                  <Table.Td className={classes.wide}>{hold.reason}</Table.Td>
                  <Table.Td>{hold.createdBy}</Table.Td>
                  <Table.Td>
                    <span
                      className={classes.state}
                      data-level={hold.confirmed ? 'ok' : 'warn'}
                      title={
                        hold.confirmed
                          ? 'Every recorder with such footage has confirmed it.'
                          : 'A recorder has not confirmed yet. Check that it is running.'
                      }
                    >
                      {hold.confirmed ? 'in force' : 'not confirmed yet'}
                    </span>
                  </Table.Td>
                  {mayLift && (
                    <Table.Td ta="right">
                      <Anchor
                        component="button"
                        size="sm"
                        c="dimmed"
                        onClick={() => setLifting(hold)}
                      >
                        Lift
                      </Anchor>
                    </Table.Td>
                  )}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      <Modal opened={adding} onClose={() => setAdding(false)} title="Place a legal hold" size={480}>
        {adding && <HoldForm onClose={() => setAdding(false)} />}
      </Modal>
      <LiftDialog hold={lifting} onClose={() => setLifting(undefined)} />
    </section>
  );
}

const DAY_MS = 86_400_000;

function HoldForm({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const { cameras } = useCameras();
  const [chosen, setChosen] = useState<string[]>([]);
  const [fromMs, setFromMs] = useState(() => Date.now() - DAY_MS);
  const [toMs, setToMs] = useState(() => Date.now());
  const [reason, setReason] = useState('');
  const ordered = fromMs < toMs;
  const add = useMutation({
    mutationFn: () =>
      calls.addHold({
        cameras: chosen,
        from: new Date(fromMs).toISOString(),
        to: new Date(toMs).toISOString(),
        reason: reason.trim(),
      }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['holds'] });
      onClose();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate();
      }}
    >
      <Stack gap="sm">
        <MultiSelect
          label="Cameras"
          data={cameras.map((camera) => ({ value: camera.id, label: camera.name }))}
          value={chosen}
          onChange={setChosen}
          searchable
          data-autofocus
        />
        <Group grow align="start">
          <MomentInput label="From" valueMs={fromMs} onMoment={setFromMs} />
          <MomentInput
            label="To"
            valueMs={toMs}
            onMoment={setToMs}
            error={ordered ? undefined : 'Must be after From'}
          />
        </Group>
        <Textarea
          label="Reason"
          description="The case and who asked for it; it is kept in the audit log."
          autosize
          minRows={2}
          maxLength={1000}
          value={reason}
          onChange={(change) => setReason(change.currentTarget.value)}
        />
        <Fault error={add.error} title="The hold was not placed" />
        <Button
          type="submit"
          size="sm"
          loading={add.isPending}
          disabled={!ordered || chosen.length === 0 || reason.trim() === ''}
        >
          Place the hold
        </Button>
      </Stack>
    </form>
  );
}

function LiftDialog({ hold, onClose }: { hold: Hold | undefined; onClose: () => void }) {
  const client = useQueryClient();
  const lift = useMutation({
    mutationFn: (id: string) => calls.liftHold(id),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['holds'] });
      onClose();
    },
  });
  return (
    <Modal opened={hold !== undefined} onClose={onClose} title="Lift this hold?" size={420}>
      <Text size="sm">
        The footage falls under retention again. What is older than retention allows is deleted
        within the hour and cannot be brought back.
      </Text>
      <Text size="sm" c="dimmed" mt={6}>
        {hold?.reason}
      </Text>
      <Fault error={lift.error} title="Not lifted" />
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep it
        </Button>
        <Button
          color="red"
          loading={lift.isPending}
          onClick={() => {
            if (hold !== undefined) lift.mutate(hold.id);
          }}
        >
          Lift the hold
        </Button>
      </Group>
    </Modal>
  );
}
