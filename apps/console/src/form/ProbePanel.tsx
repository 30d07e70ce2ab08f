// Asks a camera what it sends, and shows every item with its grade and what to do about it.

import { Button } from '@mantine/core';
import { IconStethoscope } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import type { ProbeItem, ProbeResult } from '#contract';
import { calls, type Body } from '../api/calls.js';
import { streamWords } from '../camera/status-words.js';
import { Fault } from '../shell/Fault.js';
import classes from './Form.module.css';

const GRADES: Record<ProbeResult['grade'], string> = {
  good: 'Good: this stream can be recorded and watched.',
  usable: 'Usable, but it could be better:',
  unusable: 'Unusable as it is:',
};

const ITEMS: Record<ProbeItem['item'], string> = {
  codec: 'Codec',
  size: 'Size',
  'frame-rate': 'Pictures',
  'group-length': 'Key frame every',
  'smart-codec': 'Smart codec',
  bitrate: 'Bitrate',
  audio: 'Sound',
  clock: 'Clock',
  'frame-order': 'Frame order',
  loss: 'Lost',
  credentials: 'Credentials',
  address: 'Address',
  camera: 'Known of it',
};

interface ProbePanelProps {
  /** What to look at: `{url}` or `{onvif}`, with the transport. */
  readonly input: Body;
  readonly label: string;
  readonly disabled: boolean;
  readonly testId?: string;
}

export function ProbePanel({ input, label, disabled, testId }: ProbePanelProps) {
  const probe = useMutation({ mutationFn: () => calls.probe(input) });
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
        <p className={classes.quiet}>
          Listening until two whole groups have come: 5 to 15 seconds.
        </p>
      )}
      <Fault error={probe.error} title="The camera could not be tested" />
      {result !== undefined && (
        <div className={classes.grade} data-grade={result.grade} data-testid="probe-result">
          <strong>{GRADES[result.grade]}</strong>
          <Findings result={result} />
          {result.onvif !== undefined && (
            <p className={classes.quiet}>
              {[result.onvif.manufacturer, result.onvif.model, result.onvif.firmware]
                .filter((part) => part !== undefined)
                .join(' ')}
              {result.sub === undefined ? '' : ` · sub stream ${streamWords(result.sub)}`}
            </p>
          )}
          {result.sub !== undefined && result.sub.advice.length > 0 && (
            <ul>
              {result.sub.advice.map((line) => (
                <li key={line}>Sub stream: {line}</li>
              ))}
            </ul>
          )}
        </div>
      )}
    </>
  );
}

function Findings({ result }: { result: ProbeResult }) {
  const told = new Set(result.items.map(({ advice }) => advice));
  const others = result.advice.filter((line) => !told.has(line));
  return (
    <>
      {others.length > 0 && (
        <ul>
          {others.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      <dl className={classes.findings}>
        {result.items.map(({ item, grade, found, advice }) => (
          <div key={item + found} data-grade={grade} data-testid={`probe-${item}`}>
            <dt>{ITEMS[item]}</dt>
            <dd>
              {found}
              {advice !== undefined && <small>{advice}</small>}
            </dd>
            <span>{grade}</span>
          </div>
        ))}
      </dl>
    </>
  );
}
