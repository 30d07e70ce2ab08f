// A camera that pushes: what to expect, and a new address when the old one is lost or leaked.

import { Button, Checkbox } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { PUSH, type Camera } from '#contract';
import { calls } from '../api/calls.js';
import { Fault } from '../shell/Fault.js';
import classes from './Form.module.css';
import type { DraftProps } from './camera-draft.js';

interface PushFieldsProps extends DraftProps {
  /** As it is stored; absent for one that is being added. */
  readonly stored: Camera | undefined;
  onAddresses(camera: Camera): void;
}

export function PushFields({ draft, onChange, stored, onAddresses }: PushFieldsProps) {
  const renew = useMutation({
    mutationFn: ({ id, track }: { id: string; track: 'main' | 'sub' }) =>
      calls.renewPublishKey(id, track),
    onSuccess: onAddresses,
  });
  const isPushed = (track: 'main' | 'sub') => stored?.streams[track] === PUSH;
  const renewButton = (track: 'main' | 'sub') =>
    stored !== undefined &&
    isPushed(track) && (
      <Button
        variant="default"
        leftSection={<IconKey size={15} />}
        loading={renew.isPending && renew.variables.track === track}
        onClick={() => renew.mutate({ id: stored.id, track })}
        data-testid={`camera-renew-${track}`}
      >
        New address for the {track} stream
      </Button>
    );
  return (
    <>
      <p className={classes.quiet}>
        {isPushed('main')
          ? 'The address to publish to holds a key and was shown when it was made. A new one ends whoever publishes to the old one.'
          : 'Nightjar makes an address with a key and shows it once, when this is saved. Enter it in the camera, the phone app or the encoder: RTMP, with H.264 or H.265 and a key frame every 2 s.'}
      </p>
      <Checkbox
        label="It also pushes a small picture, to an address of its own"
        description="The wall and motion detection use it and cost less."
        checked={draft.subUrl === PUSH}
        onChange={(change) => onChange({ subUrl: change.currentTarget.checked ? PUSH : '' })}
        data-testid="camera-push-sub"
      />
      {(isPushed('main') || isPushed('sub')) && (
        <div className={classes.renewals}>
          {renewButton('main')}
          {renewButton('sub')}
        </div>
      )}
      <Fault error={renew.error} title="No new address was made" />
    </>
  );
}
