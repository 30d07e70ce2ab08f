// How long footage stays, and what a shorter time would delete.

import { Alert, NumberInput, Select, type NumberInputProps } from '@mantine/core';
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
        <OptionalNumber
          label="Days to keep movement"
          description="Main stream and sound where something moved."
          placeholder="as all footage"
          min={draft.days}
          value={draft.motionDays}
          onNumber={(motionDays) => onChange({ motionDays })}
          data-testid="camera-motion-days"
        />
        <OptionalNumber
          label="Days to keep low resolution"
          description="The sub stream."
          placeholder="as all footage"
          min={0.05}
          value={draft.lowresDays}
          onNumber={(lowresDays) => onChange({ lowresDays })}
          data-testid="camera-lowres-days"
        />
        <OptionalNumber
          label="Days to keep at least"
          description="Not given up for space before that."
          placeholder="no rule"
          min={0}
          value={draft.minDays}
          onNumber={(minDays) => onChange({ minDays })}
          data-testid="camera-min-days"
        />
        <OptionalNumber
          label="At most, in GB"
          description="Above it, the oldest goes first."
          placeholder="no rule"
          min={0.001}
          max={1e6}
          decimalScale={3}
          value={draft.maxGigabytes}
          onNumber={(maxGigabytes) => onChange({ maxGigabytes })}
          data-testid="camera-max-gigabytes"
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

interface OptionalNumberProps extends Omit<NumberInputProps, 'value' | 'onChange'> {
  readonly value: number | undefined;
  /** Undefined: there is no such rule. */
  onNumber(value: number | undefined): void;
}

function OptionalNumber({ value, onNumber, ...rest }: OptionalNumberProps) {
  return (
    <NumberInput
      max={3650}
      decimalScale={2}
      {...rest}
      value={value ?? ''}
      onChange={(now) => onNumber(typeof now === 'number' && now > 0 ? now : undefined)}
    />
  );
}
