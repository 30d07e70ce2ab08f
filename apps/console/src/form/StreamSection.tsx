// Where the camera's pictures come from: addresses, credentials, transport, and a test of both.

import { PasswordInput, SegmentedControl, Select, TextInput } from '@mantine/core';
import { PUSH, type Camera } from '#contract';
import type { DraftProps } from './camera-draft.js';
import classes from './Form.module.css';
import { FormSection } from './FormSection.js';
import { ProbePanel } from './ProbePanel.js';
import { PushFields } from './PushFields.js';
import { nameFromUrl, urlFault, withCredentials } from './stream-url.js';

interface StreamSectionProps extends DraftProps {
  /** As it is stored; absent for one that is being added. */
  readonly stored?: Camera;
  /** New addresses to publish to were made. */
  onAddresses(camera: Camera): void;
}

export function StreamSection({ draft, onChange, stored, onAddresses }: StreamSectionProps) {
  const pushes = draft.mainUrl === PUSH;
  return (
    <FormSection title="Camera">
      <TextInput
        label="Name"
        required
        withAsterisk={false}
        maxLength={120}
        value={draft.name}
        onChange={(change) => onChange({ name: change.currentTarget.value })}
        placeholder={nameFromUrl(draft.mainUrl) || 'Gate'}
        data-testid="camera-name"
      />
      <SegmentedControl
        fullWidth
        aria-label="How its pictures come"
        data={[
          { value: 'called', label: 'Nightjar calls the camera (RTSP)' },
          { value: 'pushed', label: 'The camera pushes to Nightjar (RTMP)' },
        ]}
        value={pushes ? 'pushed' : 'called'}
        onChange={(value) => onChange({ mainUrl: value === 'pushed' ? PUSH : '', subUrl: '' })}
        data-testid="camera-way"
      />
      {pushes ? (
        <PushFields draft={draft} onChange={onChange} stored={stored} onAddresses={onAddresses} />
      ) : (
        <CalledFields
          draft={draft}
          onChange={onChange}
          hasCredentials={stored?.hasCredentials === true}
        />
      )}
    </FormSection>
  );
}

interface CalledFieldsProps extends DraftProps {
  /** Whether the server already holds credentials, which it never shows. */
  readonly hasCredentials: boolean;
}

function CalledFields({ draft, onChange, hasCredentials }: CalledFieldsProps) {
  const url = (text: string) => withCredentials(text.trim(), draft.username, draft.password);
  const cannotTest = (text: string) => text.trim() === '' || urlFault(text) !== undefined;
  return (
    <>
      <TextInput
        label="Main stream"
        description="What is recorded. Its RTSP address stands in the camera’s manual or its web page."
        placeholder="rtsp://192.168.1.20:554/stream1"
        required
        withAsterisk={false}
        spellCheck={false}
        autoComplete="off"
        value={draft.mainUrl}
        onChange={(change) => onChange({ mainUrl: change.currentTarget.value })}
        error={urlFault(draft.mainUrl)}
        data-testid="camera-url"
      />
      <TextInput
        label="Sub stream (optional)"
        description="A small picture from the same camera: the wall and motion detection use it and cost less."
        placeholder="rtsp://192.168.1.20:554/stream2"
        spellCheck={false}
        autoComplete="off"
        value={draft.subUrl}
        onChange={(change) => onChange({ subUrl: change.currentTarget.value })}
        error={urlFault(draft.subUrl)}
        data-testid="camera-sub-url"
      />
      <div className={classes.pair}>
        <TextInput
          label="User name of the camera"
          placeholder={hasCredentials ? 'unchanged' : 'none'}
          autoComplete="off"
          value={draft.username}
          onChange={(change) => onChange({ username: change.currentTarget.value })}
          data-testid="camera-username"
        />
        <PasswordInput
          label="Password of the camera"
          placeholder={hasCredentials ? 'unchanged' : 'none'}
          autoComplete="new-password"
          value={draft.password}
          onChange={(change) => onChange({ password: change.currentTarget.value })}
          data-testid="camera-password"
        />
      </div>
      <div className={classes.pair}>
        <Select
          label="Transport"
          allowDeselect={false}
          data={[
            { value: 'tcp', label: 'TCP (loses nothing)' },
            { value: 'udp', label: 'UDP (only if the camera needs it)' },
            { value: 'http', label: 'HTTP tunnel (through firewalls and proxies)' },
          ]}
          value={draft.transport}
          onChange={(value) =>
            onChange({ transport: value === 'udp' || value === 'http' ? value : 'tcp' })
          }
        />
        <TextInput
          label="ONVIF address (optional)"
          description="For steering, presets and the camera’s own events."
          placeholder="http://192.168.1.20/onvif/device_service"
          spellCheck={false}
          value={draft.onvifUrl}
          onChange={(change) => onChange({ onvifUrl: change.currentTarget.value })}
          data-testid="camera-onvif-url"
        />
      </div>
      <ProbePanel
        input={{ url: url(draft.mainUrl), transport: draft.transport }}
        label="Test the main stream"
        disabled={cannotTest(draft.mainUrl)}
        testId="camera-probe"
      />
      {draft.subUrl.trim() !== '' && (
        <ProbePanel
          input={{ url: url(draft.subUrl), transport: draft.transport }}
          label="Test the sub stream"
          disabled={cannotTest(draft.subUrl)}
        />
      )}
      {draft.onvifUrl.trim() !== '' && (
        <ProbePanel
          input={{
            onvif: {
              url: draft.onvifUrl.trim(),
              ...(draft.username === ''
                ? {}
                : { username: draft.username, password: draft.password }),
            },
            transport: draft.transport,
          }}
          label="Test the camera by ONVIF"
          disabled={false}
          testId="camera-probe-onvif"
        />
      )}
      {hasCredentials && draft.username === '' && (
        <p className={classes.quiet}>
          The stored user and password are not shown. A test of an address needs them typed again.
        </p>
      )}
    </>
  );
}
