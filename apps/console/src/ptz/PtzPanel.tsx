// Steering: an on-screen stick, zoom keys, the arrow keys, a gamepad, and presets.

import { ActionIcon, Button, TextInput, Tooltip } from '@mantine/core';
import { IconMinus, IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState, type PointerEvent, type RefObject } from 'react';
import type { PtzMove } from '#contract';
import { calls } from '../api/calls.js';
import { Signal } from '../signal.js';
import { Fault } from '../shell/Fault.js';
import { useSignal } from '../use-signal.js';
import { PtzLink, type PtzState } from './ptz-link.js';
import classes from './Ptz.module.css';
import { keysToMove, mergeMoves, padToMove, STILL, stickToMove } from './stick-math.js';

const IDLE = new Signal<PtzState>({ connected: false });
const STEERING_KEYS = new Set(['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', '+', '-']);

const readPads = (): PtzMove[] =>
  (navigator.getGamepads?.() ?? []).flatMap((pad) =>
    pad?.connected === true && pad.mapping === 'standard' ? [padToMove(pad)] : [],
  );

export function PtzPanel({
  camera,
  stickRef,
}: {
  camera: string;
  stickRef: RefObject<HTMLDivElement | null>;
}) {
  const [link, setLink] = useState<PtzLink>();
  const [knob, setKnob] = useState({ x: 0, y: 0 });
  const pointer = useRef<PtzMove>(STILL);
  const zoom = useRef<PtzMove>(STILL);
  const held = useRef(new Set<string>());

  useEffect(() => {
    const opened = new PtzLink(camera, () =>
      mergeMoves([pointer.current, zoom.current, keysToMove(held.current), ...readPads()]),
    );
    setLink(opened);
    return () => opened.close();
  }, [camera]);
  const state = useSignal(link?.state ?? IDLE);

  const onStick = (event: PointerEvent<HTMLDivElement>) => {
    if (event.type === 'pointerdown') event.currentTarget.setPointerCapture(event.pointerId);
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const box = event.currentTarget.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * 2 - 1;
    const y = ((event.clientY - box.top) / box.height) * 2 - 1;
    const reach = Math.max(1, Math.hypot(x, y));
    setKnob({ x: x / reach, y: y / reach });
    pointer.current = { ...stickToMove(x, y), zoom: 0 };
  };
  const release = () => {
    setKnob({ x: 0, y: 0 });
    pointer.current = STILL;
  };
  return (
    <section className={classes.root} aria-label="Steering">
      <div className={classes.row}>
        <div
          ref={stickRef}
          className={classes.stick}
          data-testid="ptz-stick"
          data-arrow-keys
          tabIndex={0}
          role="application"
          aria-label="PTZ stick: drag it, or focus it and hold the arrow keys; plus and minus zoom"
          onPointerDown={onStick}
          onPointerMove={onStick}
          onPointerUp={release}
          onPointerCancel={release}
          onLostPointerCapture={release}
          onKeyDown={(event) => {
            if (!STEERING_KEYS.has(event.key)) return;
            event.preventDefault();
            held.current.add(event.key);
          }}
          onKeyUp={(event) => held.current.delete(event.key)}
          onBlur={() => held.current.clear()}
        >
          <i style={{ transform: `translate(${knob.x * 42}px, ${knob.y * 42}px)` }} />
        </div>
        <div className={classes.zoom}>
          <ZoomKey label="Zoom in" speed={0.7} target={zoom}>
            <IconPlus size={17} />
          </ZoomKey>
          <span>Zoom</span>
          <ZoomKey label="Zoom out" speed={-0.7} target={zoom}>
            <IconMinus size={17} />
          </ZoomKey>
        </div>
      </div>
      <div className={classes.note} role="status">
        {state.text ??
          (state.latencyMs === undefined
            ? 'Drag, or press P and hold the arrow keys.'
            : `The camera answered in ${Math.round(state.latencyMs)} ms.`)}
      </div>
      <Presets camera={camera} />
    </section>
  );
}

function ZoomKey(props: {
  label: string;
  speed: number;
  target: RefObject<PtzMove>;
  children: React.ReactNode;
}) {
  const set = (speed: number) => {
    props.target.current = { ...STILL, zoom: speed };
  };
  return (
    <Tooltip label={props.label}>
      <ActionIcon
        variant="default"
        size="lg"
        aria-label={props.label}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          set(props.speed);
        }}
        onPointerUp={() => set(0)}
        onPointerCancel={() => set(0)}
        onLostPointerCapture={() => set(0)}
      >
        {props.children}
      </ActionIcon>
    </Tooltip>
  );
}

function Presets({ camera }: { camera: string }) {
  const client = useQueryClient();
  const [name, setName] = useState('');
  const presets = useQuery({
    queryKey: ['presets', camera],
    queryFn: () => calls.presets(camera),
    staleTime: 60_000,
  });
  const go = useMutation({ mutationFn: (token: string) => calls.gotoPreset(camera, token) });
  const add = useMutation({
    mutationFn: () => calls.addPreset(camera, name.trim()),
    onSuccess: () => {
      setName('');
      return client.invalidateQueries({ queryKey: ['presets', camera] });
    },
  });
  return (
    <>
      <div className={classes.presets}>
        {presets.data?.items.map((preset) => (
          <Button
            key={preset.token}
            variant="default"
            size="compact-xs"
            loading={go.isPending && go.variables === preset.token}
            onClick={() => go.mutate(preset.token)}
          >
            {preset.name}
          </Button>
        ))}
        {presets.data?.items.length === 0 && <span className={classes.note}>No presets yet.</span>}
      </div>
      <form
        className={classes.row}
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() !== '') add.mutate();
        }}
      >
        <TextInput
          size="xs"
          aria-label="Preset name"
          placeholder="Name of this view"
          value={name}
          onChange={(change) => setName(change.currentTarget.value)}
          style={{ flex: 1 }}
        />
        <Button
          type="submit"
          variant="default"
          loading={add.isPending}
          disabled={name.trim() === ''}
        >
          Save preset
        </Button>
      </form>
      <Fault error={presets.error ?? go.error ?? add.error} title="Presets" />
    </>
  );
}
