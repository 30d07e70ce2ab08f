// When a camera records: its mode, the time around motion, and weekly exceptions.

import { NumberInput, Select, Switch } from '@mantine/core';
import { recordingModeSchema, type RecordingMode } from '#contract';
import classes from './Form.module.css';
import { FormSection } from './FormSection.js';
import { ScheduleEditor } from './ScheduleEditor.js';
import type { DraftProps } from './camera-draft.js';

const MODE_LABELS: Record<RecordingMode, string> = {
  motion: 'On motion',
  'motion+lowres': 'On motion, low resolution always',
  continuous: 'Always',
  off: 'Off',
};

const MODE_HINTS: Record<RecordingMode, string> = {
  motion: 'Nothing is written while nothing moves.',
  'motion+lowres': 'The sub stream is always written, the main stream when something moves.',
  continuous: 'Everything is written. Plan the disk for it.',
  off: 'Nothing is written and no motion is detected.',
};

export function RecordingSection({ draft, onChange }: DraftProps) {
  const onMotion = draft.mode === 'motion' || draft.mode === 'motion+lowres';
  const lacksSub = draft.mode === 'motion+lowres' && draft.subUrl.trim() === '';
  return (
    <FormSection title="Recording">
      <Select
        label="Records"
        description={MODE_HINTS[draft.mode]}
        allowDeselect={false}
        data={recordingModeSchema.options.map((value) => ({ value, label: MODE_LABELS[value] }))}
        value={draft.mode}
        onChange={(value) => {
          const mode = recordingModeSchema.safeParse(value);
          if (mode.success) onChange({ mode: mode.data });
        }}
        error={lacksSub ? 'Needs a sub stream: give its address above.' : undefined}
        data-testid="camera-mode"
      />
      <div className={classes.pair}>
        <NumberInput
          label="Seconds before motion"
          min={0}
          max={60}
          disabled={!onMotion}
          value={draft.preRollSeconds}
          onChange={(value) => typeof value === 'number' && onChange({ preRollSeconds: value })}
        />
        <NumberInput
          label="Seconds after motion"
          min={0}
          max={600}
          disabled={!onMotion}
          value={draft.postRollSeconds}
          onChange={(value) => typeof value === 'number' && onChange({ postRollSeconds: value })}
        />
      </div>
      <Switch
        size="xs"
        label="Other modes at some hours of the week"
        checked={draft.schedule.length > 0}
        onChange={(change) =>
          onChange({
            schedule: change.currentTarget.checked
              ? [{ fromMinute: 0, toMinute: 360, mode: 'continuous' }]
              : [],
          })
        }
      />
      {draft.schedule.length > 0 && (
        <ScheduleEditor
          schedule={draft.schedule}
          baseMode={draft.mode}
          onChange={(schedule) => onChange({ schedule })}
        />
      )}
    </FormSection>
  );
}
