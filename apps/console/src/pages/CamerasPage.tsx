// All cameras in a table: state in words, stream, recording, and the footage they hold.

import { Button, Table, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import type { Camera, CameraStatus, Storage } from '#contract';
import { useCameras, useStatuses, useStorage } from '../api/queries.js';
import { useMay } from '../api/use-session.js';
import { recordingWords, stateWords, streamWords } from '../camera/status-words.js';
import { formatBytes, formatDay } from '../format.js';
import { Fault } from '../shell/Fault.js';
import { Page } from '../shell/Page.js';
import classes from './Pages.module.css';

export function CamerasPage() {
  const may = useMay();
  const { cameras, isSuccess, error, refetch } = useCameras();
  const { statuses } = useStatuses();
  const storage = useStorage();
  const [text, setText] = useState('');
  const shown = cameras.filter((camera) =>
    camera.name.toLowerCase().includes(text.trim().toLowerCase()),
  );
  const mayEdit = may('PATCH', '/api/cameras/:id');
  return (
    <Page
      title="Cameras"
      name="Cameras"
      tools={
        <>
          {cameras.length > 8 && (
            <TextInput
              size="xs"
              placeholder="Name"
              aria-label="Filter by name"
              value={text}
              onChange={(change) => setText(change.currentTarget.value)}
            />
          )}
          {may('POST', '/api/cameras') && (
            <Button
              component={Link}
              to="/cameras/new"
              leftSection={<IconPlus size={15} />}
              data-testid="camera-add"
            >
              Add a camera
            </Button>
          )}
        </>
      }
    >
      <Fault error={error} title="The cameras cannot be listed" onRetry={() => void refetch()} />
      {isSuccess && cameras.length === 0 && (
        <p className={classes.quiet}>
          There are no cameras yet.{' '}
          {may('POST', '/api/cameras')
            ? 'Add one by its RTSP address, or let Nightjar find ONVIF cameras on the network.'
            : 'An administrator adds them.'}
        </p>
      )}
      {shown.length > 0 && (
        <div className={classes.tableBox}>
          <Table highlightOnHover className={classes.table}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Camera</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th>Recording</Table.Th>
                <Table.Th>Stream</Table.Th>
                <Table.Th ta="right">Footage</Table.Th>
                <Table.Th ta="right">A day</Table.Th>
                <Table.Th>Since</Table.Th>
                <Table.Th ta="right">Kept</Table.Th>
                {mayEdit && <Table.Th aria-label="Actions" />}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {shown.map((camera) => (
                <CameraRow
                  key={camera.id}
                  camera={camera}
                  status={statuses.get(camera.id)}
                  usage={storage.data?.cameras.find((row) => row.id === camera.id)}
                  mayEdit={mayEdit}
                />
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </Page>
  );
}

interface CameraRowProps {
  readonly camera: Camera;
  readonly status: CameraStatus | undefined;
  readonly usage: Storage['cameras'][number] | undefined;
  readonly mayEdit: boolean;
}

function CameraRow({ camera, status, usage, mayEdit }: CameraRowProps) {
  const navigate = useNavigate();
  const words = stateWords(status);
  return (
    <Table.Tr
      className={classes.rowLink}
      data-testid={`camera-row-${camera.id}`}
      onClick={() => void navigate(`/cameras/${camera.id}`)}
    >
      <Table.Td>
        <Link
          to={`/cameras/${camera.id}`}
          className={classes.strongLink}
          onClick={(event) => event.stopPropagation()}
        >
          {camera.name}
        </Link>
      </Table.Td>
      <Table.Td className={classes.wide}>
        <span className={classes.state} data-level={words.level}>
          {words.text}
        </span>
        {words.level !== 'ok' && <small>{words.hint}</small>}
      </Table.Td>
      <Table.Td>{recordingWords(status)}</Table.Td>
      <Table.Td className={classes.dim}>{status === undefined ? '' : streamWords(status)}</Table.Td>
      <Table.Td ta="right">{usage === undefined ? '' : formatBytes(usage.bytes)}</Table.Td>
      <Table.Td ta="right">{usage === undefined ? '' : formatBytes(usage.bytesPerDay)}</Table.Td>
      <Table.Td className={classes.dim}>
        {usage?.oldest === undefined ? '' : formatDay(Date.parse(usage.oldest))}
      </Table.Td>
      <Table.Td ta="right">{camera.retention.days} d</Table.Td>
      {mayEdit && (
        <Table.Td ta="right">
          <Link
            to={`/cameras/${camera.id}/edit`}
            className={classes.quietLink}
            onClick={(event) => event.stopPropagation()}
          >
            Settings
          </Link>
        </Table.Td>
      )}
    </Table.Tr>
  );
}
