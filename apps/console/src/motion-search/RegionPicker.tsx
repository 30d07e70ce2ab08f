// A camera's picture with the motion grid over it: drag to choose the part that is searched.

import { Button } from '@mantine/core';
import { useState, type PointerEvent } from 'react';
import { CELL_COLUMNS, CELL_ROWS, type Camera, type CameraStatus } from '#contract';
import { CameraStill } from '../form/CameraStill.js';
import classes from '../form/Form.module.css';
import { regionBetween, type CellRegion } from './region.js';

interface RegionPickerProps {
  readonly camera: Camera;
  readonly status: CameraStatus | undefined;
  readonly region: CellRegion | undefined;
  onRegion(region: CellRegion | undefined): void;
}

export function RegionPicker({ camera, status, region, onRegion }: RegionPickerProps) {
  const [start, setStart] = useState<[number, number]>();
  const at = (event: PointerEvent<SVGSVGElement>): [number, number] => {
    const box = event.currentTarget.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  return (
    <div>
      <CameraStill camera={camera} status={status}>
        <svg
          viewBox={`0 0 ${CELL_COLUMNS} ${CELL_ROWS}`}
          preserveAspectRatio="none"
          style={{ cursor: 'crosshair' }}
          data-testid="motion-region"
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            const point = at(event);
            setStart(point);
            onRegion(regionBetween(point, point));
          }}
          onPointerMove={(event) => {
            if (start !== undefined) onRegion(regionBetween(start, at(event)));
          }}
          onPointerUp={() => setStart(undefined)}
          onPointerCancel={() => setStart(undefined)}
        >
          {Array.from({ length: CELL_COLUMNS - 1 }, (_, index) => (
            <line
              key={`c${index}`}
              className={classes.gridLine}
              x1={index + 1}
              x2={index + 1}
              y1={0}
              y2={CELL_ROWS}
            />
          ))}
          {Array.from({ length: CELL_ROWS - 1 }, (_, index) => (
            <line
              key={`r${index}`}
              className={classes.gridLine}
              x1={0}
              x2={CELL_COLUMNS}
              y1={index + 1}
              y2={index + 1}
            />
          ))}
          {region !== undefined && (
            <rect
              className={classes.region}
              x={region.column}
              y={region.row}
              width={region.columns}
              height={region.rows}
            />
          )}
        </svg>
      </CameraStill>
      <div style={{ display: 'flex', alignItems: 'center', gap: 8, marginTop: 6 }}>
        <p className={classes.quiet} style={{ flex: 1 }}>
          {region === undefined
            ? 'Drag over the picture to search only a part of it.'
            : 'Only movement that touches the marked part is found.'}
        </p>
        {region !== undefined && (
          <Button variant="subtle" size="compact-xs" onClick={() => onRegion(undefined)}>
            Whole picture
          </Button>
        )}
      </div>
    </div>
  );
}
