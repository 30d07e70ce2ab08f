// The live wall: every chosen camera at once.

import { Button, Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { useCameras, useStatuses } from '../api/queries.js';
import { useMay } from '../api/use-session.js';
import { Fault } from '../shell/Fault.js';
import { Page } from '../shell/Page.js';
import { useKeys } from '../shell/use-keys.js';
import {
  arrange,
  gridOf,
  neighbour,
  pageOf,
  readArrangement,
  swap,
  type Arrangement,
} from '../wall/arrangement.js';
import { Tile } from '../wall/Tile.js';
import { useTypedNumber } from '../wall/use-typed-number.js';
import classes from '../wall/Wall.module.css';
import { WallTools } from '../wall/WallTools.js';

const STORAGE_KEY = 'nightjar.wall';
/** Above this many screen pixels a sub stream looks coarse. */
const SUB_LIMIT = 900;

export function WallPage() {
  const navigate = useNavigate();
  const may = useMay();
  const { cameras, isSuccess, error, refetch } = useCameras();
  const { statuses } = useStatuses();
  const [arrangement, setArrangement] = useState(() =>
    readArrangement(localStorage.getItem(STORAGE_KEY)),
  );
  const [pageNumber, setPageNumber] = useState(0);
  const [selected, setSelected] = useState<string>();
  const wall = useRef<HTMLDivElement>(null);
  const { ref: sizeRef, width } = useElementSize();

  const shown = arrange(
    cameras.map((camera) => camera.id),
    arrangement,
  );
  const grid = gridOf(arrangement.grid, shown.length);
  const size = grid.columns * grid.rows;
  const page = pageOf(shown, size, pageNumber);
  const keep = (next: Arrangement) => {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(next));
    setArrangement(next);
  };
  const open = (id: string | undefined) => {
    if (id !== undefined) void navigate(`/cameras/${id}`);
  };
  const fullScreen = () => {
    if (document.fullscreenElement !== null) void document.exitFullscreen();
    else void wall.current?.requestFullscreen();
  };
  const number = useTypedNumber((value) => open(shown[value - 1]), shown.length);
  useKeys('wall', {
    number: (event) => number.type(event.key),
    select: (event) => {
      const at = page.ids.indexOf(selected ?? '');
      const next =
        at < 0 ? 0 : neighbour(at, event.key, { count: page.ids.length, columns: grid.columns });
      setSelected(page.ids[next]);
    },
    open: () => open(selected),
    nextPage: () => setPageNumber(Math.min(page.current + 1, page.pages - 1)),
    previousPage: () => setPageNumber(Math.max(0, page.current - 1)),
    fullScreen,
  });

  const byId = new Map(cameras.map((camera) => [camera.id, camera]));
  const tilePixels = (width / grid.columns) * globalThis.devicePixelRatio;
  return (
    <Page
      title="Live"
      name="Live"
      layout="fill"
      tools={
        cameras.length > 0 && (
          <WallTools
            cameras={cameras}
            arrangement={arrangement}
            page={page}
            onArrange={keep}
            onPage={setPageNumber}
            onFullScreen={fullScreen}
          />
        )
      }
    >
      {error !== null && cameras.length === 0 && (
        <div className={classes.empty}>
          <Fault error={error} title="No cameras to show" onRetry={() => void refetch()} />
        </div>
      )}
      {isSuccess && cameras.length === 0 && (
        <div className={classes.empty}>
          <Text size="lg">There are no cameras yet.</Text>
          {may('POST', '/api/cameras') ? (
            <Button
              component={Link}
              to="/cameras/new"
              leftSection={<IconPlus size={15} />}
              data-testid="camera-add"
            >
              Add a camera
            </Button>
          ) : (
            <Text c="dimmed">An administrator adds them.</Text>
          )}
        </div>
      )}
      {isSuccess && cameras.length > 0 && shown.length === 0 && (
        <div className={classes.empty}>
          <Text>All cameras are hidden. Choose some above.</Text>
        </div>
      )}
      <div ref={wall} className={classes.wall}>
        <div
          ref={sizeRef}
          className={classes.grid}
          style={{
            gridTemplateColumns: `repeat(${grid.columns}, minmax(0, 1fr))`,
            gridTemplateRows: `repeat(${grid.rows}, minmax(0, 1fr))`,
          }}
        >
          {width > 0 &&
            page.ids.map((id, index) => {
              const camera = byId.get(id);
              if (camera === undefined) return undefined;
              return (
                <Tile
                  key={id}
                  camera={camera}
                  number={page.current * size + index + 1}
                  status={statuses.get(id)}
                  track={
                    camera.streams.sub !== undefined && tilePixels < SUB_LIMIT ? 'sub' : 'main'
                  }
                  selected={selected === id}
                  onSelect={() => setSelected(id)}
                  onDrop={(dragged) => keep({ ...arrangement, order: swap(shown, dragged, id) })}
                />
              );
            })}
        </div>
        {number.typed !== '' && <div className={classes.typed}>{number.typed}</div>}
      </div>
    </Page>
  );
}
