// Collects digits typed in quick succession into one number: `1`, `2` within a moment is 12.

import { useEffect, useRef, useState } from 'react';

const PAUSE_MS = 650;

export function useTypedNumber(onNumber: (value: number) => void, highest: number) {
  const [typed, setTyped] = useState('');
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (digit: string) => {
    clearTimeout(timer.current);
    const text = `${typed}${digit}`.slice(-2);
    const finish = () => {
      setTyped('');
      const value = Number(text);
      if (value >= 1 && value <= highest) onNumber(value);
    };
    // No second digit can make a camera of it, so there is nothing to wait for.
    if (text.length === 2 || Number(text) * 10 > highest) {
      finish();
      return;
    }
    setTyped(text);
    timer.current = setTimeout(finish, PAUSE_MS);
  };
  return { typed, type };
}
