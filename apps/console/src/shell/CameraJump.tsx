// Go to a camera by typing a part of its name.

import { Modal, TextInput, UnstyledButton } from '@mantine/core';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useCameras, useStatuses } from '../api/queries.js';
import classes from './Shell.module.css';

export function CameraJump({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} withCloseButton={false} size={420} padding="xs">
      {opened && <JumpList onClose={onClose} />}
    </Modal>
  );
}

function JumpList({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const { cameras } = useCameras();
  const { statuses } = useStatuses();
  const [text, setText] = useState('');
  const [picked, setPicked] = useState(0);
  const found = cameras
    .filter((camera) => camera.name.toLowerCase().includes(text.trim().toLowerCase()))
    .slice(0, 12);
  const open = (id: string | undefined) => {
    if (id === undefined) return;
    onClose();
    void navigate(`/cameras/${id}`);
  };
  return (
    <>
      <TextInput
        data-autofocus
        placeholder="Camera name"
        aria-label="Camera name"
        value={text}
        onChange={(change) => {
          setText(change.currentTarget.value);
          setPicked(0);
        }}
        onKeyDown={(event) => {
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (step !== undefined) {
            event.preventDefault();
            setPicked((at) => Math.max(0, Math.min(found.length - 1, at + step)));
          }
          if (event.key === 'Enter') open(found[picked]?.id);
        }}
      />
      <div className={classes.jump}>
        {found.map((camera, index) => (
          <UnstyledButton
            key={camera.id}
            className={classes.jumpItem}
            data-picked={index === picked}
            onClick={() => open(camera.id)}
          >
            <i
              className={classes.dot}
              data-level={statuses.get(camera.id)?.state === 'online' ? 'ok' : 'quiet'}
            />
            {camera.name}
          </UnstyledButton>
        ))}
        {found.length === 0 && <p className={classes.eventsNote}>No camera has such a name.</p>}
      </div>
    </>
  );
}
