// Starts an export: which cameras, what period, in what form, and why.

import {
  Button,
  Group,
  Modal,
  MultiSelect,
  Select,
  Stack,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { renditionSchema, type Rendition } from '#contract';
import { calls } from '../api/calls.js';
import { useCameras } from '../api/queries.js';
import { MomentInput } from '../form/MomentInput.js';
import { formatSpan } from '../format.js';
import { Fault } from '../shell/Fault.js';

export interface ExportDraft {
  readonly cameras: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
}

export function ExportDialog({
  draft,
  onClose,
}: {
  draft: ExportDraft | undefined;
  onClose: () => void;
}) {
  return (
    <Modal opened={draft !== undefined} onClose={onClose} title="Export" size={480}>
      {draft !== undefined && <ExportForm draft={draft} onClose={onClose} />}
    </Modal>
  );
}

const RENDITION_WORDS: Record<Rendition, string> = {
  source: 'As recorded (nothing changed)',
  '1080p': '1080p',
  '720p': '720p',
  '480p': '480p',
  '240p': '240p',
};

function ExportForm({ draft, onClose }: { draft: ExportDraft; onClose: () => void }) {
  const client = useQueryClient();
  const { cameras } = useCameras();
  const [chosen, setChosen] = useState<string[]>([...draft.cameras]);
  const [fromMs, setFromMs] = useState(draft.fromMs);
  const [toMs, setToMs] = useState(draft.toMs);
  const [rendition, setRendition] = useState<Rendition>('source');
  const [watermark, setWatermark] = useState('');
  const [note, setNote] = useState('');
  const ordered = fromMs < toMs;
  const start = useMutation({
    mutationFn: () =>
      calls.startExport({
        cameras: chosen,
        from: new Date(fromMs).toISOString(),
        to: new Date(toMs).toISOString(),
        rendition,
        note: note.trim(),
        ...(watermark.trim() === '' ? {} : { watermark: watermark.trim() }),
      }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['exports'] });
      notifications.show({
        title: 'Export started',
        message: <Link to="/exports">See how it goes on the Exports page</Link>,
        withBorder: true,
      });
      onClose();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        start.mutate();
      }}
    >
      <Stack gap="sm">
        <MultiSelect
          label="Cameras"
          data={cameras.map((camera) => ({ value: camera.id, label: camera.name }))}
          value={chosen}
          onChange={setChosen}
          searchable
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
        {ordered && (
          <Text size="xs" c="dimmed">
            {formatSpan(toMs - fromMs)}
            {chosen.length > 1 ? ` of each of ${chosen.length} cameras` : ''}
          </Text>
        )}
        <Select
          label="Picture"
          description={
            rendition === 'source'
              ? 'The bytes of the recording, whose seals can be verified.'
              : 'Converted: smaller, plays everywhere, but no longer the original bytes.'
          }
          allowDeselect={false}
          data={renditionSchema.options.map((value) => ({ value, label: RENDITION_WORDS[value] }))}
          value={rendition}
          onChange={(value) => {
            const parsed = renditionSchema.safeParse(value);
            if (parsed.success) setRendition(parsed.data);
          }}
        />
        {rendition !== 'source' && (
          <TextInput
            label="Watermark"
            placeholder="Who it is for, for example"
            maxLength={120}
            value={watermark}
            onChange={(change) => setWatermark(change.currentTarget.value)}
          />
        )}
        <Textarea
          label="Note"
          description="Goes into the manifest and the audit log: the case, who asked for it."
          autosize
          minRows={2}
          maxLength={1000}
          value={note}
          onChange={(change) => setNote(change.currentTarget.value)}
          data-testid="export-note"
          data-autofocus
        />
        <Fault error={start.error} title="Export not started" />
        <Button
          type="submit"
          size="sm"
          loading={start.isPending}
          disabled={!ordered || chosen.length === 0}
          data-testid="export-start"
        >
          Start export
        </Button>
      </Stack>
    </form>
  );
}
