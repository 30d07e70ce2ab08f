// Shows where a camera has to publish: once, because the addresses hold its keys.

import { Button, Modal, Text, TextInput } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import type { Camera } from '#contract';
import classes from './Form.module.css';

interface PublishAddressesProps {
  /** With the keys that were made just now. */
  readonly camera: Camera;
  onClose(): void;
}

export function PublishAddresses({ camera, onClose }: PublishAddressesProps) {
  const { main, sub } = camera.publish ?? {};
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Where ${camera.name} has to publish`}
      size={560}
      closeOnClickOutside={false}
    >
      <div className={classes.column}>
        {main?.url !== undefined && (
          <Address label="Main stream" url={main.url} testId="publish-main" />
        )}
        {sub?.url !== undefined && (
          <Address label="Sub stream" url={sub.url} testId="publish-sub" />
        )}
        <Text size="sm">
          Who has this address can publish as this camera. It is not shown again; a new one can be
          made in the camera’s settings. Where an app asks for a server and a key, the key is what
          stands behind the last slash.
        </Text>
        <Button size="sm" onClick={onClose} data-testid="publish-done">
          I have copied it
        </Button>
      </div>
    </Modal>
  );
}

function Address({ label, url, testId }: { label: string; url: string; testId: string }) {
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = () => {
    field.current?.select();
    void copyText(url).then(setCopied);
  };
  return (
    <div className={classes.address}>
      <TextInput
        ref={field}
        label={label}
        readOnly
        value={url}
        onFocus={(focus) => focus.currentTarget.select()}
        data-testid={testId}
      />
      <Button
        variant="default"
        leftSection={copied ? <IconCheck size={15} /> : <IconCopy size={15} />}
        onClick={copy}
        data-testid={`${testId}-copy`}
      >
        {copied ? 'Copied' : 'Copy'}
      </Button>
    </div>
  );
}

/** Browsers keep the clipboard from pages without TLS: there the selected text is copied. */
async function copyText(text: string): Promise<boolean> {
  const clipboard = navigator.clipboard as Clipboard | undefined;
  try {
    if (clipboard !== undefined) {
      await clipboard.writeText(text);
      return true;
    }
  } catch {
    // Not allowed: the old way may be.
  }
  return document.execCommand('copy');
}
