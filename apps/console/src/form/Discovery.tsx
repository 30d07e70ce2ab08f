// Finds ONVIF cameras on the network, asks one with its credentials, and takes its streams.

import { Button, Loader, PasswordInput, Select, TextInput, UnstyledButton } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { DiscoveredCamera, OnvifDevice } from '#contract';
import { calls } from '../api/calls.js';
import { Fault } from '../shell/Fault.js';
import type { CameraDraft } from './camera-draft.js';
import classes from './Form.module.css';
import { FormSection } from './FormSection.js';
import { ProbePanel } from './ProbePanel.js';

export function Discovery({ onTake }: { onTake: (change: Partial<CameraDraft>) => void }) {
  const [picked, setPicked] = useState<DiscoveredCamera>();
  const found = useQuery({
    queryKey: ['discovery'],
    queryFn: ({ signal }) => calls.discover(signal),
    staleTime: 60_000,
    retry: false,
  });
  return (
    <FormSection title="On the network">
      {found.isFetching && (
        <div style={{ display: 'flex', gap: 10, alignItems: 'center' }}>
          <Loader size={15} />{' '}
          <span className={classes.quiet}>Asking the network. This takes a few seconds.</span>
        </div>
      )}
      <Fault error={found.error} title="The network could not be searched" />
      {found.isSuccess && found.data.items.length === 0 && !found.isFetching && (
        <p className={classes.quiet}>
          No camera answered. It may be on another network, or ONVIF may be switched off in it. Its
          RTSP address still works: choose “By address”.
        </p>
      )}
      {found.data?.items.map((camera) => (
        <UnstyledButton
          key={camera.url}
          className={classes.found}
          data-picked={picked?.url === camera.url}
          onClick={() => setPicked(camera)}
          data-testid="discovered-camera"
        >
          <span>{camera.name ?? camera.hardware ?? 'Camera'}</span>
          <span>{camera.address}</span>
          <small>
            {[camera.hardware, camera.url].filter((part) => part !== undefined).join(' · ')}
          </small>
        </UnstyledButton>
      ))}
      <div>
        <Button variant="default" loading={found.isFetching} onClick={() => void found.refetch()}>
          Search again
        </Button>
      </div>
      {picked !== undefined && <AskDevice key={picked.url} camera={picked} onTake={onTake} />}
    </FormSection>
  );
}

interface AskDeviceProps {
  readonly camera: DiscoveredCamera;
  onTake(change: Partial<CameraDraft>): void;
}

function AskDevice({ camera, onTake }: AskDeviceProps) {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [main, setMain] = useState<string | null>(null);
  const [sub, setSub] = useState<string | null>(null);
  const ask = useMutation({
    mutationFn: () =>
      calls.askDevice({ url: camera.url, ...(username === '' ? {} : { username, password }) }),
    onSuccess: (device) => {
      setMain(device.main ?? device.profiles[0]?.token ?? null);
      setSub(device.sub ?? null);
    },
  });
  const device = ask.data;
  const urlOf = (token: string | null) =>
    device?.profiles.find((profile) => profile.token === token)?.streamUrl ?? '';
  return (
    <>
      <form
        className={classes.pair}
        onSubmit={(event) => {
          event.preventDefault();
          ask.mutate();
        }}
      >
        <TextInput
          label="User name of the camera"
          autoComplete="off"
          value={username}
          onChange={(change) => setUsername(change.currentTarget.value)}
        />
        <PasswordInput
          label="Password of the camera"
          autoComplete="new-password"
          value={password}
          onChange={(change) => setPassword(change.currentTarget.value)}
        />
        <div>
          <Button type="submit" variant="light" loading={ask.isPending} data-testid="discovery-ask">
            Ask the camera for its streams
          </Button>
        </div>
      </form>
      <Fault error={ask.error} title="The camera did not tell its streams" />
      {device !== undefined && (
        <>
          <p className={classes.quiet}>
            {[device.manufacturer, device.model, device.firmware]
              .filter((part) => part !== undefined)
              .join(' ')}
            {device.ptz ? ' · can be steered' : ''}
            {device.events ? ' · can tell of movement itself' : ''}
          </p>
          {device.quirks.map(({ camera: name, fault, remedy }) => (
            <p key={name + fault} className={classes.quiet}>
              {name}: {fault}. Here {remedy}.
            </p>
          ))}
          {device.profiles.length === 0 && (
            <p className={classes.quiet}>
              The camera offers no video profile. Create one on its own web page.
            </p>
          )}
          <div className={classes.pair}>
            <Select label="Record" data={profileOptions(device)} value={main} onChange={setMain} />
            <Select
              label="Sub stream"
              placeholder="none"
              clearable
              data={profileOptions(device)}
              value={sub}
              onChange={setSub}
            />
          </div>
          <ProbePanel
            input={{
              onvif: { url: camera.url, ...(username === '' ? {} : { username, password }) },
            }}
            label="Test the camera"
            disabled={main === null}
            testId="discovery-probe"
          />
          <div>
            <Button
              disabled={main === null}
              data-testid="discovery-take"
              onClick={() =>
                onTake({
                  name: camera.name ?? device.model ?? '',
                  mainUrl: urlOf(main),
                  subUrl: sub === main ? '' : urlOf(sub),
                  username,
                  password,
                  onvifUrl: camera.url,
                })
              }
            >
              Use these streams
            </Button>
          </div>
        </>
      )}
    </>
  );
}

const profileOptions = (device: OnvifDevice) =>
  device.profiles.map((profile) => ({
    value: profile.token,
    label: [
      profile.name,
      profile.width === undefined ? '' : `${profile.width}×${profile.height ?? '?'}`,
      profile.codec ?? '',
    ]
      .filter((part) => part !== '')
      .join(' · '),
  }));
