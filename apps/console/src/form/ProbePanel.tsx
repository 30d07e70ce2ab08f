// Asks a camera what it sends, and shows the grade with advice.

import { Button } from '@mantine/core';
import { IconStethoscope } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import type { ProbeResult } from '#contract';
import { calls } from '../api/calls.js';
import { streamWords } from '../camera/status-words.js';
import { Fault } from '../shell/Fault.js';
import classes from './Form.module.css';

const GRADES: Record<ProbeResult['grade'], string> = {
  good: 'Good: this stream can be recorded and watched.',
  usable: 'Usable, but it could be better:',
  unusable: 'Unusable as it is:',
};

interface ProbePanelProps {
  readonly url: string;
  readonly transport: 'tcp' | 'udp' | 'http';
  readonly label: string;
  readonly disabled: boolean;
  readonly testId?: string;
}

export function ProbePanel({ url, transport, label, disabled, testId }: ProbePanelProps) {
  const probe = useMutation({ mutationFn: () => calls.probe({ url, transport }) });
  const result = probe.data;
  return (
    <>
      <div>
        <Button
          variant="default"
          leftSection={<IconStethoscope size={15} />}
          disabled={disabled}
          loading={probe.isPending}
          onClick={() => probe.mutate()}
          data-testid={testId}
        >
          {label}
        </Button>
      </div>
      {probe.isPending && (
        <p className={classes.quiet}>Listening to the camera for a few seconds.</p>
      )}
      <Fault error={probe.error} title="The camera could not be tested" />
      {result !== undefined && (
        <div className={classes.grade} data-grade={result.grade} data-testid="probe-result">
          <strong>{GRADES[result.grade]}</strong>
          <div>
            {[
              streamWords(result),
              result.groupSeconds === undefined
                ? ''
                : `key frame every ${result.groupSeconds.toFixed(1)} s`,
              result.audio === undefined ? '' : `audio ${result.audio}`,
              result.server ?? '',
            ]
              .filter((part) => part !== '')
              .join(' · ')}
          </div>
          {result.advice.length > 0 && (
            <ul>
              {result.advice.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          )}
        </div>
      )}
    </>
  );
}
