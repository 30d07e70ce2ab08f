// How long footage stays, and what a shorter time would delete.

import { Alert, NumberInput, Select } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useStorage } from '../api/queries.js';
import { formatBytes, formatMoment } from '../format.js';
import classes from './Form.module.css';
import { FormSection } from './FormSection.js';
import { retentionLoss } from './retention-loss.js';
import type { DraftProps } from './camera-draft.js';

interface RetentionSectionProps extends DraftProps {
  /** Absent while the camera is being added. */
  readonly camera?: { readonly id: string; readonly days: number };
}

export function RetentionSection({ draft, onChange, camera }: RetentionSectionProps) {
  const storage = useStorage();
  const usage = storage.data?.cameras.find((row) => row.id === camera?.id);
  const loss =
    camera !== undefined && draft.days < camera.days
      ? retentionLoss(usage, draft.days, Date.now())
      : undefined;
  const overBytes =
    draft.maxGigabytes !== undefined &&
    usage !== undefined &&
    usage.bytes > draft.maxGigabytes * 1e9;
  const optional = (value: number | string): number | undefined =>
    typeof value === 'number' && value > 0 ? value : undefined;
  return (
    <FormSection title="Retention">
      <div className={classes.pair}>
        <NumberInput
          label="Days to keep"
          description="Older footage is deleted within the hour."
          min={0.05}
          max={3650}
          decimalScale={2}
          value={draft.days}
          onChange={(value) => typeof value === 'number' && value > 0 && onChange({ days: value })}
          data-testid="camera-days"
        />
        <NumberInput
          label="Days to keep movement"
          description="Main stream and sound where something moved."
          placeholder="as all footage"
          min={draft.days}
          max={3650}
          decimalScale={2}
          value={draft.motionDays ?? ''}
          onChange={(value) => onChange({ motionDays: optional(value) })}
          data-testid="camera-motion-days"
        />
        <NumberInput
          label="Days to keep low resolution"
          description="The sub stream."
          placeholder="as all footage"
          min={0.05}
          max={3650}
          decimalScale={2}
          value={draft.lowresDays ?? ''}
          onChange={(value) => onChange({ lowresDays: optional(value) })}
          data-testid="camera-lowres-days"
        />
        <NumberInput
          label="Days to keep at least"
          description="Not given up for space before that."
          placeholder="no rule"
          min={0}
          max={3650}
          value={draft.minDays ?? ''}
          onChange={(value) => onChange({ minDays: optional(value) })}
        />
        <NumberInput
          label="At most, in GB"
          description="Above it, the oldest goes first."
          placeholder="no rule"
          min={1}
          value={draft.maxGigabytes ?? ''}
          onChange={(value) => onChange({ maxGigabytes: optional(value) })}
        />
        <Select
          label="When the disk is full"
          description="What this camera gives up for space."
          allowDeselect={false}
          data={[
            { value: 'oldest-first', label: 'Its oldest footage' },
            { value: 'stop-recording', label: 'Nothing: recording stops' },
          ]}
          value={draft.whenFull}
          onChange={(value) =>
            onChange({ whenFull: value === 'stop-recording' ? value : 'oldest-first' })
          }
          data-testid="camera-when-full"
        />
        {usage !== undefined && (
          <p className={classes.quiet}>
            Now: {formatBytes(usage.bytes)}
            {usage.oldest === undefined
              ? ''
              : ` since ${formatMoment(Date.parse(usage.oldest))}`},{' '}
            {formatBytes(usage.bytesPerDay)} a day.
          </p>
        )}
      </div>
      {loss !== undefined && (
        <Alert
          color="red"
          variant="light"
          p="sm"
          icon={<IconTrash size={16} />}
          data-testid="retention-warning"
        >
          This would delete footage from {formatMoment(loss.fromMs)} to {formatMoment(loss.toMs)},
          about {formatBytes(loss.bytes)}. Once saved it waits for 24 hours, in which an
          administrator can confirm or withdraw it here. To keep a part, export it or place a hold.
        </Alert>
      )}
      {overBytes && (
        <Alert color="red" variant="light" p="sm" icon={<IconTrash size={16} />}>
          This camera holds {formatBytes(usage.bytes)}: this would delete the oldest{' '}
          {formatBytes(usage.bytes - (draft.maxGigabytes ?? 0) * 1e9)}, 24 hours after it is saved.
        </Alert>
      )}
    </FormSection>
  );
}
