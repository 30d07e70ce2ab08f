// Zones and masks drawn over a camera's picture: click for corners, drag to move them.

import { Button } from '@mantine/core';
import { IconPolygon, IconTrash } from '@tabler/icons-react';
import { useRef, useState, type PointerEvent, type ReactNode } from 'react';
import type { Polygon } from '#contract';
import classes from './Form.module.css';

type Kind = 'zone' | 'mask';
type Point = [number, number];

interface ZoneEditorProps {
  readonly zones: readonly Polygon[];
  readonly masks: readonly Polygon[];
  onZones(zones: readonly Polygon[]): void;
  onMasks(masks: readonly Polygon[]): void;
  /** Lays the drawing over the picture. */
  picture(drawing: ReactNode): ReactNode;
}

/** Closing needs a click this near to the first corner, as a share of the picture's width. */
const NEAR = 0.025;
const countOf = (count: number, word: string): string =>
  `${count === 0 ? 'no' : count} ${word}${count === 1 ? '' : 's'}`;
const round = (value: number): number => Math.round(Math.max(0, Math.min(1, value)) * 1000) / 1000;
const points = (polygon: readonly (readonly number[])[]): string =>
  polygon.map(([x = 0, y = 0]) => `${x},${y}`).join(' ');

export function ZoneEditor({ zones, masks, onZones, onMasks, picture }: ZoneEditorProps) {
  const [drawing, setDrawing] = useState<{ kind: Kind; corners: Point[] }>();
  const [picked, setPicked] = useState<{ kind: Kind; index: number }>();
  const [pointer, setPointer] = useState<Point>();
  const surface = useRef<HTMLDivElement>(null);

  const listOf = (kind: Kind) => (kind === 'zone' ? zones : masks);
  const set = (kind: Kind, list: readonly Polygon[]) =>
    kind === 'zone' ? onZones(list) : onMasks(list);
  const at = (event: { clientX: number; clientY: number }): Point => {
    const box = surface.current?.getBoundingClientRect();
    if (box === undefined) return [0, 0];
    return [
      round((event.clientX - box.left) / box.width),
      round((event.clientY - box.top) / box.height),
    ];
  };
  const finish = (kind: Kind, corners: Point[]) => {
    setDrawing(undefined);
    setPointer(undefined);
    if (corners.length < 3) return;
    set(kind, [...listOf(kind), corners]);
    setPicked({ kind, index: listOf(kind).length });
  };
  const addCorner = (event: PointerEvent) => {
    if (drawing === undefined) {
      setPicked(undefined);
      return;
    }
    const corner = at(event);
    const [first] = drawing.corners;
    const closes =
      first !== undefined &&
      drawing.corners.length >= 3 &&
      Math.hypot(first[0] - corner[0], first[1] - corner[1]) < NEAR;
    if (closes) finish(drawing.kind, drawing.corners);
    else setDrawing({ ...drawing, corners: [...drawing.corners, corner] });
  };
  const moveCorner = (corner: number, to: Point) => {
    if (picked === undefined) return;
    set(
      picked.kind,
      listOf(picked.kind).map((polygon, index) =>
        index === picked.index ? polygon.map((old, i) => (i === corner ? to : old)) : polygon,
      ),
    );
  };
  const remove = () => {
    if (picked === undefined) return;
    set(
      picked.kind,
      listOf(picked.kind).filter((_, index) => index !== picked.index),
    );
    setPicked(undefined);
  };
  const pickedPolygon = picked === undefined ? undefined : listOf(picked.kind)[picked.index];

  return (
    <>
      {picture(
        <div ref={surface} style={{ position: 'absolute', inset: 0 }}>
          <svg
            viewBox="0 0 1 1"
            preserveAspectRatio="none"
            style={{ cursor: drawing === undefined ? 'default' : 'crosshair' }}
            onPointerDown={addCorner}
            onPointerMove={(event) => drawing !== undefined && setPointer(at(event))}
            onDoubleClick={() => drawing !== undefined && finish(drawing.kind, drawing.corners)}
          >
            {(['zone', 'mask'] as const).map((kind) =>
              listOf(kind).map((polygon, index) => (
                <polygon
                  key={`${kind}-${index}`}
                  className={classes.polygon}
                  data-kind={kind}
                  data-picked={picked?.kind === kind && picked.index === index}
                  points={points(polygon)}
                  onPointerDown={(event) => {
                    if (drawing !== undefined) return;
                    event.stopPropagation();
                    setPicked({ kind, index });
                  }}
                />
              )),
            )}
            {drawing !== undefined && (
              <polyline
                className={classes.open}
                points={points([...drawing.corners, ...(pointer === undefined ? [] : [pointer])])}
              />
            )}
          </svg>
          {(drawing?.corners ?? pickedPolygon ?? []).map(([x, y], index) => (
            <i
              key={index}
              className={classes.handle}
              style={{
                left: `${x * 100}%`,
                top: `${y * 100}%`,
                pointerEvents: drawing === undefined ? 'auto' : 'none',
              }}
              onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
              onPointerMove={(event) => {
                if (event.currentTarget.hasPointerCapture(event.pointerId))
                  moveCorner(index, at(event));
              }}
            />
          ))}
        </div>,
      )}
      <div style={{ display: 'flex', flexWrap: 'wrap', gap: 8, alignItems: 'center' }}>
        {(['zone', 'mask'] as const).map((kind) => (
          <Button
            key={kind}
            variant={drawing?.kind === kind ? 'filled' : 'default'}
            leftSection={<IconPolygon size={15} />}
            onClick={() => {
              setPicked(undefined);
              setDrawing(drawing?.kind === kind ? undefined : { kind, corners: [] });
            }}
          >
            {kind === 'zone' ? 'Draw a zone' : 'Draw a mask'}
          </Button>
        ))}
        <Button
          variant="default"
          color="red"
          leftSection={<IconTrash size={15} />}
          disabled={picked === undefined}
          onClick={remove}
        >
          Remove
        </Button>
      </div>
      <p className={classes.quiet}>
        {drawing !== undefined
          ? 'Click the corners; click the first one again, or double-click, to close.'
          : `Now ${countOf(zones.length, 'zone')} and ${countOf(masks.length, 'mask')}. With zones (blue), only movement inside them counts; movement inside a mask (red) never does.`}
      </p>
    </>
  );
}
