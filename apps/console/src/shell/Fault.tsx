// A failed query or action, said in a sentence where it happened.

import { Alert, Button } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { errorText } from '../api/problem.js';

interface FaultProps {
  readonly error: unknown;
  readonly title?: string;
  readonly onRetry?: (() => void) | undefined;
}

export function Fault({ error, title = 'That did not work', onRetry }: FaultProps) {
  if (error === null || error === undefined) return null;
  return (
    <Alert
      color="red"
      variant="light"
      title={title}
      icon={<IconAlertTriangle size={16} />}
      role="alert"
      p="sm"
    >
      {errorText(error)}
      {onRetry !== undefined && (
        <Button variant="subtle" color="red" size="compact-xs" ml="xs" onClick={onRetry}>
          Try again
        </Button>
      )}
    </Alert>
  );
}

/** Recorders that did not answer, and what that means for what is shown. */
export function Unavailable({ recorders }: { recorders: readonly string[] | undefined }) {
  if (recorders === undefined || recorders.length === 0) return null;
  return (
    <Alert color="yellow" variant="light" p="xs" icon={<IconAlertTriangle size={16} />}>
      {recorders.join(', ')} does not answer, so what it holds is missing here. Check that machine.
    </Alert>
  );
}
