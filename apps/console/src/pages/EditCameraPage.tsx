// Changes what is declared of a camera, or forgets it.

import { Button, Group, Modal, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, type FormEvent } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import type { Camera } from '#contract';
import { calls } from '../api/calls.js';
import { useCameras, useStatuses } from '../api/queries.js';
import { CameraStill } from '../form/CameraStill.js';
import { changeBody, draftOf, retentionDraftOf, type CameraDraft } from '../form/camera-draft.js';
import classes from '../form/Form.module.css';
import { LocationSection } from '../form/LocationSection.js';
import { MotionSection } from '../form/MotionSection.js';
import { PublishAddresses } from '../form/PublishAddresses.js';
import { RecordingSection } from '../form/RecordingSection.js';
import { RetentionSection } from '../form/RetentionSection.js';
import { StreamSection } from '../form/StreamSection.js';
import { urlFault } from '../form/stream-url.js';
import { Fault } from '../shell/Fault.js';
import { PendingRetention, RetentionDialog } from '../storage/PendingRetention.js';
import { Page } from '../shell/Page.js';

export function EditCameraPage() {
  const { id = '' } = useParams();
  const { cameras, isSuccess, error, refetch } = useCameras();
  const camera = cameras.find((row) => row.id === id);
  if (camera !== undefined) return <EditCamera key={id} camera={camera} />;
  return (
    <Page title="Camera" name="Camera">
      <Fault error={error} onRetry={() => void refetch()} />
      {isSuccess && (
        <p>
          There is no such camera. <Link to="/cameras">All cameras</Link>
        </p>
      )}
    </Page>
  );
}

/** Rules that JSON leaves out. */
const NO_RULES = {
  motionDays: undefined,
  lowresDays: undefined,
  minDays: undefined,
  maxGigabytes: undefined,
};

function EditCamera({ camera }: { camera: Camera }) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const { statuses } = useStatuses();
  const [before, setBefore] = useState(() => draftOf(camera));
  const [draft, setDraft] = useState<CameraDraft>(before);
  const [published, setPublished] = useState<Camera>();
  const [deciding, setDeciding] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const declared = JSON.stringify(retentionDraftOf(camera));
  useEffect(() => {
    const fresh = JSON.parse(declared) as ReturnType<typeof retentionDraftOf>;
    const withFresh = (old: CameraDraft) => ({ ...old, ...NO_RULES, ...fresh });
    setBefore(withFresh);
    setDraft(withFresh);
  }, [declared]);
  const change = (part: Partial<CameraDraft>) => setDraft((old) => ({ ...old, ...part }));
  const body = changeBody(before, draft);
  const changed = Object.keys(body).length > 0;
  const save = useMutation({
    mutationFn: () => calls.changeCamera(camera.id, body),
    onSuccess: async (saved) => {
      await client.invalidateQueries({ queryKey: ['cameras'] });
      setBefore(draftOf(saved));
      setDraft(draftOf(saved));
      if (saved.publish !== undefined) setPublished(saved);
      const waits = body['retention'] !== undefined && saved.pendingRetention !== undefined;
      if (waits) setDeciding(true);
      const message = waits
        ? `${saved.name}: saved; the retention waits, since it deletes footage`
        : `${saved.name}: saved and in force`;
      notifications.show({ message, withBorder: true });
    },
  });
  const remove = useMutation({
    mutationFn: () => calls.deleteCamera(camera.id),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['cameras'] });
      void navigate('/cameras');
    },
  });
  const ready =
    draft.name.trim() !== '' &&
    draft.mainUrl.trim() !== '' &&
    urlFault(draft.mainUrl) === undefined &&
    urlFault(draft.subUrl) === undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready && changed) save.mutate();
  };
  const status = statuses.get(camera.id);
  return (
    <Page
      title={camera.name}
      name={`${camera.name}, settings`}
      tools={
        <Button component={Link} to={`/cameras/${camera.id}`} variant="default">
          Watch
        </Button>
      }
    >
      <form className={classes.form} onSubmit={submit}>
        <PendingRetention camera={camera} />
        <div className={classes.columns}>
          <div className={classes.column}>
            <StreamSection
              draft={draft}
              onChange={change}
              stored={camera}
              onAddresses={setPublished}
            />
            <RetentionSection
              draft={draft}
              onChange={change}
              camera={{ id: camera.id, days: before.days }}
            />
            <LocationSection draft={draft} onChange={change} />
          </div>
          <div className={classes.column}>
            <RecordingSection draft={draft} onChange={change} />
            <MotionSection
              draft={draft}
              onChange={change}
              picture={(drawing) => (
                <CameraStill camera={camera} status={status}>
                  {drawing}
                </CameraStill>
              )}
            />
          </div>
        </div>
        <Fault error={save.error} title="Not saved" />
        <div className={classes.actions}>
          <Button
            variant="subtle"
            color="red"
            size="sm"
            onClick={() => setDeleting(true)}
            data-testid="camera-delete"
          >
            Delete this camera
          </Button>
          <span />
          {changed && (
            <Button variant="default" size="sm" onClick={() => setDraft(before)}>
              Discard changes
            </Button>
          )}
          <Button
            type="submit"
            size="sm"
            disabled={!ready || !changed}
            loading={save.isPending}
            data-testid="camera-save"
          >
            {changed ? 'Save' : 'Nothing to save'}
          </Button>
        </div>
      </form>
      {published !== undefined && (
        <PublishAddresses camera={published} onClose={() => setPublished(undefined)} />
      )}
      <RetentionDialog camera={deciding ? camera : undefined} onClose={() => setDeciding(false)} />
      <Modal
        opened={deleting}
        onClose={() => setDeleting(false)}
        title={`Delete ${camera.name}?`}
        size={420}
      >
        <Text size="sm">
          Recording of this camera stops at once. What it has recorded stays until it expires, but
          can no longer be watched here by its name.
        </Text>
        <Fault error={remove.error} title="Not deleted" />
        <Group justify="flex-end" mt="md">
          <Button variant="default" onClick={() => setDeleting(false)} data-autofocus>
            Keep it
          </Button>
          <Button
            color="red"
            loading={remove.isPending}
            onClick={() => remove.mutate()}
            data-testid="camera-delete-confirm"
          >
            Delete
          </Button>
        </Group>
      </Modal>
    </Page>
  );
}
