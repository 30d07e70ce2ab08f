// What counts as motion: by whose word, how little movement, and where.

import { SegmentedControl, Slider, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { formatPercent } from '../format.js';
import classes from './Form.module.css';
import { FormSection } from './FormSection.js';
import type { DraftProps } from './camera-draft.js';
import { ZoneEditor } from './ZoneEditor.js';

const SOURCES = {
  video: 'Nightjar looks for movement in the picture.',
  onvif:
    'The camera says when something moves (ONVIF events), and nothing is decoded here. While it cannot be heard, everything is recorded. It does not say where in the picture something moved.',
  off: 'Nobody looks for movement: for cameras that are recorded continuously.',
  both: 'Either of the two is enough: the picture, or the camera’s own word.',
} as const;

interface MotionSectionProps extends DraftProps {
  /** Lays a drawing over the camera's picture; absent while the camera is being added. */
  readonly picture?: (drawing: ReactNode) => ReactNode;
}

export function MotionSection({ draft, onChange, picture }: MotionSectionProps) {
  return (
    <FormSection title="Motion">
      <div>
        <Text size="sm" fw={500} mb={4}>
          Movement is learned from
        </Text>
        <SegmentedControl
          fullWidth
          aria-label="Movement is learned from"
          data={[
            { value: 'video', label: 'Picture' },
            { value: 'onvif', label: 'Camera (ONVIF)' },
            { value: 'both', label: 'Both' },
            { value: 'off', label: 'None' },
          ]}
          value={draft.motionSource}
          onChange={(motionSource) => onChange({ motionSource })}
          data-testid="motion-source"
        />
        <Text size="xs" c="dimmed" mt={4}>
          {SOURCES[draft.motionSource]}
        </Text>
        {(draft.motionSource === 'onvif' || draft.motionSource === 'both') &&
          draft.onvifUrl.trim() === '' && (
            <p className={classes.quiet} data-testid="motion-needs-onvif">
              This needs the camera’s ONVIF address, in the section “Camera”.
            </p>
          )}
      </div>
      <div hidden={draft.motionSource === 'onvif'}>
        <Text size="sm" fw={500}>
          Sensitivity {formatPercent(draft.sensitivity)}
        </Text>
        <Text size="xs" c="dimmed" mb={4}>
          Higher finds smaller movement, and more leaves, rain and insects.
        </Text>
        <Slider
          aria-label="Sensitivity"
          min={0}
          max={1}
          step={0.05}
          label={formatPercent}
          value={draft.sensitivity}
          onChange={(sensitivity) => onChange({ sensitivity })}
        />
      </div>
      {picture !== undefined && draft.motionSource !== 'onvif' && (
        <ZoneEditor
          zones={draft.zones}
          masks={draft.masks}
          onZones={(zones) => onChange({ zones })}
          onMasks={(masks) => onChange({ masks })}
          picture={picture}
        />
      )}
    </FormSection>
  );
}
