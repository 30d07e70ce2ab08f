// Where a camera stands and looks.

import { NumberInput, Switch } from '@mantine/core';
import type { Location } from '#contract';
import classes from './Form.module.css';
import { FormSection } from './FormSection.js';
import type { DraftProps } from './camera-draft.js';

export function LocationSection({ draft, onChange }: DraftProps) {
  const { location } = draft;
  const field = (
    name: keyof Location,
    o: { label: string; min: number; max: number; optional: boolean },
  ) => (
    <NumberInput
      label={o.label}
      min={o.min}
      max={o.max}
      decimalScale={6}
      value={location?.[name] ?? ''}
      onChange={(value) => {
        if (location === undefined) return;
        if (typeof value === 'number') onChange({ location: { ...location, [name]: value } });
        else if (o.optional) onChange({ location: { ...location, [name]: undefined } });
      }}
    />
  );
  return (
    <FormSection title="Location">
      <Switch
        size="xs"
        label="This camera has a place on the map"
        checked={location !== undefined}
        onChange={(change) =>
          onChange({
            location: change.currentTarget.checked ? { latitude: 0, longitude: 0 } : undefined,
          })
        }
      />
      {location !== undefined && (
        <div className={classes.pair}>
          {field('latitude', { label: 'Latitude', min: -90, max: 90, optional: false })}
          {field('longitude', { label: 'Longitude', min: -180, max: 180, optional: false })}
          {field('headingDegrees', {
            label: 'Looks towards, degrees from north',
            min: 0,
            max: 360,
            optional: true,
          })}
          {field('fieldOfViewDegrees', {
            label: 'Field of view, degrees',
            min: 1,
            max: 360,
            optional: true,
          })}
        </div>
      )}
    </FormSection>
  );
}
