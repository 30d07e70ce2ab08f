// A field for a time, typed; 24 hours in every locale.

import { TextInput } from '@mantine/core';
import { useEffect, useState, type ReactNode } from 'react';
import { readMoment, writeMoment } from './moment-text.js';

interface MomentInputProps {
  /** Undefined leaves the field empty. */
  readonly valueMs: number | undefined;
  /** After Enter, or when the field is left. */
  onMoment(valueMs: number): void;
  readonly label?: ReactNode;
  readonly placeholder?: string;
  readonly title?: string;
  readonly error?: string | undefined;
  readonly size?: 'xs' | 'sm';
  readonly width?: number;
}

const textOf = (valueMs: number | undefined): string =>
  valueMs === undefined ? '' : writeMoment(valueMs);

export function MomentInput(props: MomentInputProps) {
  const { valueMs, onMoment } = props;
  const [text, setText] = useState(textOf(valueMs));
  const [refused, setRefused] = useState(false);
  useEffect(() => {
    setText(textOf(valueMs));
    setRefused(false);
  }, [valueMs]);
  const take = () => {
    if (text.trim() === textOf(valueMs)) return;
    const readMs = readMoment(text, Date.now());
    setRefused(readMs === undefined);
    if (readMs === undefined) return;
    setText(writeMoment(readMs));
    onMoment(readMs);
  };
  return (
    <TextInput
      label={props.label}
      aria-label={props.title}
      title={props.title}
      placeholder={props.placeholder}
      size={props.size ?? 'sm'}
      w={props.width}
      value={text}
      error={refused ? 'Write 2026-11-21 14:30 or 14:30' : props.error}
      onChange={(change) => setText(change.currentTarget.value)}
      onBlur={take}
      onKeyDown={(event) => {
        if (event.key !== 'Enter') return;
        event.preventDefault();
        take();
      }}
    />
  );
}
