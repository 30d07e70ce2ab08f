// Adds a camera: by its address, or found on the network.

import { Button, SegmentedControl } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { Link, useNavigate } from 'react-router';
import type { Camera } from '#contract';
import { calls } from '../api/calls.js';
import { addBody, EMPTY_DRAFT, type CameraDraft } from '../form/camera-draft.js';
import { Discovery } from '../form/Discovery.js';
import classes from '../form/Form.module.css';
import { MotionSection } from '../form/MotionSection.js';
import { PublishAddresses } from '../form/PublishAddresses.js';
import { RecordingSection } from '../form/RecordingSection.js';
import { RetentionSection } from '../form/RetentionSection.js';
import { StreamSection } from '../form/StreamSection.js';
import { nameFromUrl, urlFault } from '../form/stream-url.js';
import { Fault } from '../shell/Fault.js';
import { Page } from '../shell/Page.js';

export function AddCameraPage() {
  const navigate = useNavigate();
  const client = useQueryClient();
  const [way, setWay] = useState('address');
  const [draft, setDraft] = useState<CameraDraft>(EMPTY_DRAFT);
  const [added, setAdded] = useState<Camera>();
  const change = (part: Partial<CameraDraft>) => setDraft((old) => ({ ...old, ...part }));
  const named = { ...draft, name: draft.name.trim() || nameFromUrl(draft.mainUrl) };
  const save = useMutation({
    mutationFn: () => calls.addCamera(addBody(named)),
    onSuccess: async (camera) => {
      await client.invalidateQueries({ queryKey: ['cameras'] });
      if (camera.publish === undefined) void navigate(`/cameras/${camera.id}`);
      else setAdded(camera);
    },
  });
  const ready =
    added === undefined &&
    draft.mainUrl.trim() !== '' &&
    urlFault(draft.mainUrl) === undefined &&
    urlFault(draft.subUrl) === undefined &&
    named.name !== '';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready) save.mutate();
  };
  return (
    <Page
      title="Add a camera"
      name="Add a camera"
      tools={
        <SegmentedControl
          data={[
            { value: 'address', label: 'By address' },
            { value: 'network', label: 'Find on the network' },
          ]}
          value={way}
          onChange={setWay}
        />
      }
    >
      {added !== undefined && (
        <PublishAddresses camera={added} onClose={() => void navigate(`/cameras/${added.id}`)} />
      )}
      <div className={classes.form}>
        <div className={classes.columns}>
          <div className={classes.column}>
            {way === 'network' && (
              <Discovery
                onTake={(part) => {
                  change(part);
                  setWay('address');
                }}
              />
            )}
            {way === 'address' && (
              <StreamSection draft={draft} onChange={change} onAddresses={setAdded} />
            )}
          </div>
          <form id="add-camera" className={classes.column} onSubmit={submit}>
            <RecordingSection draft={draft} onChange={change} />
            <RetentionSection draft={draft} onChange={change} />
            <MotionSection draft={draft} onChange={change} />
          </form>
        </div>
        <Fault error={save.error} title="The camera was not added" />
        <div className={classes.actions}>
          <p className={classes.quiet}>
            Zones and masks are drawn on its picture once it is added.
          </p>
          <span />
          <Button component={Link} to="/cameras" variant="default" size="sm">
            Cancel
          </Button>
          <Button
            type="submit"
            form="add-camera"
            size="sm"
            disabled={!ready}
            loading={save.isPending}
            data-testid="camera-save"
          >
            Add the camera
          </Button>
        </div>
      </div>
    </Page>
  );
}
