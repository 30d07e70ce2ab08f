// All keys, by place, from the same table that the handlers read.

import { Kbd, Modal } from '@mantine/core';
import { KEYBOARD, keyLabel, type Binding, type Scope } from './keyboard-map.js';
import classes from './Shell.module.css';

const TITLES: Record<Scope, string> = {
  everywhere: 'Everywhere',
  wall: 'Live wall',
  camera: 'Camera',
};

export function HelpOverlay({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keys" size={1080} data-testid="help-overlay">
      <div className={classes.help}>
        {(['everywhere', 'wall', 'camera'] as const).map((scope) => (
          <Bindings key={scope} title={TITLES[scope]} bindings={KEYBOARD[scope]} />
        ))}
      </div>
      <p className={classes.helpNote}>
        On the timeline: wheel or pinch zooms, drag moves, click plays, Shift and drag marks a
        range. A gamepad’s left stick steers a camera, its triggers zoom.
      </p>
    </Modal>
  );
}

function Bindings({ title, bindings }: { title: string; bindings: readonly Binding[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {bindings.map((binding) => (
          <div key={binding.action}>
            <dt>
              {binding.keys.map((key) => (
                <Kbd key={key} size="xs">
                  {keyLabel(key)}
                </Kbd>
              ))}
            </dt>
            <dd>{binding.label}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
