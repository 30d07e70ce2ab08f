import { actionOf, KEYBOARD, keyLabel, keyName, type Binding, type Scope } from './keyboard-map.js';

const press = (
  key: string,
  chord: Partial<Record<'shiftKey' | 'ctrlKey' | 'altKey' | 'metaKey', boolean>> = {},
) => ({
  key,
  shiftKey: false,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  ...chord,
});

test('no key means two things in one place', () => {
  const everywhere: readonly Binding[] = KEYBOARD.everywhere;
  for (const scope of ['wall', 'camera'] as const satisfies Scope[]) {
    const bindings: readonly Binding[] = [...everywhere, ...KEYBOARD[scope]];
    const keys = bindings.flatMap((binding) => binding.keys);
    expect(new Set(keys).size).toBe(keys.length);
  }
});

test('presses find their action, with either case of a letter', () => {
  expect(actionOf('camera', press(' '))).toBe('toggle');
  expect(actionOf('camera', press('k'))).toBe('toggle');
  expect(actionOf('camera', press('K', { shiftKey: true }))).toBe('toggle');
  expect(actionOf('camera', press('ArrowLeft'))).toBe('back');
  expect(actionOf('camera', press('ArrowLeft', { shiftKey: true }))).toBe('backMore');
  expect(actionOf('everywhere', press('?', { shiftKey: true }))).toBe('help');
  expect(actionOf('wall', press('7'))).toBe('number');
  expect(actionOf('camera', press('7'))).toBeUndefined();
});

test("the browser's own chords are left alone", () => {
  expect(keyName(press('c', { ctrlKey: true }))).toBeUndefined();
  expect(actionOf('everywhere', press('w', { metaKey: true }))).toBeUndefined();
});

test('labels are what is printed on the keys', () => {
  expect(keyLabel('Shift+ArrowLeft')).toBe('Shift ←');
  expect(keyLabel('+')).toBe('+');
  expect(keyLabel('Space')).toBe('Space');
});
