// How long footage stays, and what a shorter time would delete.

import { Alert, NumberInput } from '@mantine/core';
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
          Saving deletes footage from {formatMoment(loss.fromMs)} to {formatMoment(loss.toMs)},
          about {formatBytes(loss.bytes)}, within the hour. It cannot be brought back. To keep a
          part, export it or place a hold first.
        </Alert>
      )}
      {overBytes && (
        <Alert color="red" variant="light" p="sm" icon={<IconTrash size={16} />}>
          This camera holds {formatBytes(usage.bytes)}: saving deletes the oldest{' '}
          {formatBytes(usage.bytes - (draft.maxGigabytes ?? 0) * 1e9)}.
        </Alert>
      )}
    </FormSection>
  );
}
