// A period: one of the usual ones up to now, or two times.

import { SegmentedControl } from '@mantine/core';
import { MomentInput } from '../form/MomentInput.js';

const HOUR_MS = 3_600_000;
const USUAL = [
  { value: '1', label: '1 h' },
  { value: '24', label: '24 h' },
  { value: '168', label: '7 d' },
  { value: '720', label: '30 d' },
] as const;

export interface PeriodChoice {
  /** Hours up to now, or `own` for the two times. */
  readonly usual: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export function usualPeriod(hours: string): PeriodChoice {
  const toMs = Date.now();
  return { usual: hours, fromMs: toMs - Number(hours) * HOUR_MS, toMs };
}

interface PeriodFieldsProps {
  readonly period: PeriodChoice;
  onPeriod(period: PeriodChoice): void;
}

export function PeriodFields({ period, onPeriod }: PeriodFieldsProps) {
  return (
    <>
      <SegmentedControl
        aria-label="Period"
        fullWidth
        data={USUAL.map(({ value, label }) => ({ value, label }))}
        value={period.usual}
        onChange={(hours) => onPeriod(usualPeriod(hours))}
      />
      <MomentInput
        label="From"
        valueMs={period.fromMs}
        onMoment={(fromMs) => onPeriod({ ...period, usual: 'own', fromMs })}
      />
      <MomentInput
        label="To"
        valueMs={period.toMs}
        error={period.fromMs < period.toMs ? undefined : 'Must be after From'}
        onMoment={(toMs) => onPeriod({ ...period, usual: 'own', toMs })}
      />
    </>
  );
}
