// What counts as motion: how little movement, and where.

import { Slider, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { formatPercent } from '../format.js';
import { FormSection } from './FormSection.js';
import type { DraftProps } from './camera-draft.js';
import { ZoneEditor } from './ZoneEditor.js';

interface MotionSectionProps extends DraftProps {
  /** Lays a drawing over the camera's picture; absent while the camera is being added. */
  readonly picture?: (drawing: ReactNode) => ReactNode;
}

export function MotionSection({ draft, onChange, picture }: MotionSectionProps) {
  return (
    <FormSection title="Motion">
      <div>
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
      {picture !== undefined && (
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
