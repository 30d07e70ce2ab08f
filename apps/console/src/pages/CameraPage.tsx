// One camera: its picture, live or past, and its timeline.

import { ActionIcon, Select, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconSettings } from '@tabler/icons-react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router';
import type { Camera } from '#contract';
import { errorText } from '../api/problem.js';
import { useCameras, useStatuses } from '../api/queries.js';
import { useMay } from '../api/use-session.js';
import classes from '../camera/Camera.module.css';
import { ExportDialog, type ExportDraft } from '../camera/ExportDialog.js';
import { Facts, RecentMotion } from '../camera/FactsPanel.js';
import { PlayerStage } from '../camera/PlayerStage.js';
import { hasSound } from '../camera/status-words.js';
import { clipHref, RangeBar } from '../camera/RangeBar.js';
import { saveSnapshot } from '../camera/snapshot.js';
import { TrackPanel } from '../camera/TrackPanel.js';
import { Transport } from '../camera/Transport.js';
import { usePlayer } from '../camera/use-player.js';
import { useTimelineView } from '../camera/use-timeline-view.js';
import { PtzPanel } from '../ptz/PtzPanel.js';
import { Fault, Unavailable } from '../shell/Fault.js';
import { Page } from '../shell/Page.js';
import { useKeys } from '../shell/use-keys.js';
import { Signal } from '../signal.js';
import type { TimelineRange } from '../timeline/draw.js';
import { TimelineCanvas } from '../timeline/TimelineCanvas.js';
import { findMotion, useCameraTimeline } from '../timeline/use-camera-timeline.js';

export function CameraPage() {
  const { id = '' } = useParams();
  const { cameras, isSuccess, error, refetch } = useCameras();
  const camera = cameras.find((row) => row.id === id);
  if (camera !== undefined) return <CameraView key={id} camera={camera} cameras={cameras} />;
  return (
    <Page title="Camera" name="Camera">
      <Fault error={error} onRetry={() => void refetch()} />
      {isSuccess && (
        <p>
          There is no camera at this address; it may have been deleted.{' '}
          <Link to="/cameras">All cameras</Link>
        </p>
      )}
    </Page>
  );
}

function CameraView({ camera, cameras }: { camera: Camera; cameras: readonly Camera[] }) {
  const navigate = useNavigate();
  const may = useMay();
  const [search, setSearch] = useSearchParams();
  const { statuses } = useStatuses();
  const status = statuses.get(camera.id);
  const position = useMemo(() => new Signal<number | undefined>(undefined), []);
  const timeline = useTimelineView(position);
  const data = useCameraTimeline(camera.id, timeline.view);
  const player = usePlayer({
    camera: camera.id,
    codec: status?.codec,
    position,
    mayBeRecorded: data.mayBeRecorded,
  });
  const [range, setRange] = useState<TimelineRange>({});
  const [draft, setDraft] = useState<ExportDraft>();
  const stickRef = useRef<HTMLDivElement>(null);
  const stageRef = useRef<HTMLDivElement>(null);
  const { seek: seekPlayer, goLive } = player;
  const { show } = timeline;

  const seek = useCallback(
    (atMs: number, wanted: 'play' | 'as-is' = 'play') => {
      seekPlayer(atMs, wanted);
      show(atMs);
    },
    [seekPlayer, show],
  );

  // The address may name a time: at first, and when an event is clicked on this very page.
  const at = search.get('at');
  useEffect(() => {
    const atMs = at === null ? Number.NaN : /^\d+$/.test(at) ? Number(at) : Date.parse(at);
    if (!Number.isNaN(atMs)) seek(atMs);
  }, [at, seek]);
  const live = () => {
    goLive();
    show(undefined);
    if (at !== null) setSearch({}, { replace: true });
  };

  const jumpToMotion = (direction: 'previous' | 'next') => {
    findMotion(camera.id, player.nowMs(), direction).then(
      (atMs) => {
        if (atMs !== undefined) seek(atMs);
        else notifications.show({ message: `There is no ${direction} motion.`, withBorder: true });
      },
      (failure: unknown) => notifications.show({ message: errorText(failure), color: 'red' }),
    );
  };
  const mark = (edge: 'in' | 'out') => {
    const atMs = Math.round(player.nowMs());
    if (edge === 'in')
      setRange({
        fromMs: atMs,
        toMs: range.toMs !== undefined && range.toMs > atMs ? range.toMs : undefined,
      });
    else
      setRange({
        fromMs: range.fromMs !== undefined && range.fromMs < atMs ? range.fromMs : undefined,
        toMs: atMs,
      });
  };
  const snapshot = () => {
    const picture = player.mode === 'past' ? player.videoRef.current : player.liveRef.current;
    void saveSnapshot(picture, camera.name, player.nowMs()).then((saved) => {
      if (!saved)
        notifications.show({ message: 'There is no picture to save yet.', withBorder: true });
    });
  };
  const fullScreen = () => {
    if (document.fullscreenElement !== null) void document.exitFullscreen();
    else void stageRef.current?.requestFullscreen();
  };
  const ptz = camera.ptz && may('WS', '/api/ptz');
  useKeys('camera', {
    toggle: player.toggle,
    back: () => player.skip(-5000),
    forward: () => player.skip(5000),
    backMore: () => player.skip(-60_000),
    forwardMore: () => player.skip(60_000),
    reverse: player.shuttleBack,
    faster: player.faster,
    frameBack: () => player.step(-1),
    frameForward: () => player.step(1),
    previousMotion: () => jumpToMotion('previous'),
    nextMotion: () => jumpToMotion('next'),
    live,
    markIn: () => mark('in'),
    markOut: () => mark('out'),
    clear: () => setRange({}),
    download: () => {
      const href = clipHref(camera.id, range);
      if (href !== undefined)
        document.querySelector<HTMLElement>('[data-testid=clip-download]')?.click();
    },
    snapshot,
    zoomIn: () => timeline.zoom(0.5),
    zoomOut: () => timeline.zoom(2),
    fullScreen,
    ...(ptz ? { ptz: () => stickRef.current?.focus() } : {}),
  });

  return (
    <Page
      name={camera.name}
      layout="fill"
      title={
        <Select
          aria-label="Camera"
          size="xs"
          w={220}
          searchable
          allowDeselect={false}
          classNames={{ input: classes.picker ?? '' }}
          data={cameras.map((row) => ({ value: row.id, label: row.name }))}
          value={camera.id}
          onChange={(next) => {
            if (next !== null) void navigate(`/cameras/${next}${at === null ? '' : `?at=${at}`}`);
          }}
        />
      }
      tools={
        may('PATCH', '/api/cameras/:id') && (
          <Tooltip label="Settings of this camera">
            <ActionIcon component={Link} to={`/cameras/${camera.id}/edit`} aria-label="Settings">
              <IconSettings size={17} />
            </ActionIcon>
          </Tooltip>
        )
      }
    >
      <div className={classes.root}>
        <div ref={stageRef} style={{ display: 'grid', minHeight: 0 }}>
          <PlayerStage camera={camera} status={status} player={{ ...player, goLive: live }} />
        </div>
        <div className={classes.controls}>
          <Transport
            player={{ ...player, goLive: live }}
            onGoTo={(atMs) => seek(atMs)}
            onMotion={jumpToMotion}
            onSnapshot={snapshot}
            onFullScreen={fullScreen}
            hasSound={hasSound(status)}
          />
          <Unavailable recorders={data.unavailable} />
          <Fault
            error={data.error}
            title="The timeline cannot be read"
            onRetry={() => void data.refetch()}
          />
          <TimelineCanvas
            camera={camera.id}
            view={timeline.view}
            spans={data.spans}
            position={player.position}
            range={range}
            loading={data.isLoading}
            onView={timeline.move}
            onSeek={(atMs) => seek(atMs)}
            onRange={setRange}
          />
          <RangeBar
            camera={camera}
            view={timeline.view}
            spans={data.spans}
            range={range}
            mayExport={may('POST', '/api/exports')}
            onSpan={timeline.setSpan}
            onRange={setRange}
            onMark={mark}
            onExport={() => {
              if (range.fromMs === undefined || range.toMs === undefined) return;
              setDraft({ cameras: [camera.id], fromMs: range.fromMs, toMs: range.toMs });
            }}
          />
        </div>
        <div className={classes.side}>
          {ptz && (
            <section className={classes.panelSection}>
              <h2>Steer</h2>
              <PtzPanel camera={camera.id} stickRef={stickRef} />
            </section>
          )}
          <Facts camera={camera} status={status} />
          <TrackPanel status={status} />
          <RecentMotion camera={camera.id} onSeek={(atMs) => seek(atMs)} />
        </div>
      </div>
      <ExportDialog draft={draft} onClose={() => setDraft(undefined)} />
    </Page>
  );
}
