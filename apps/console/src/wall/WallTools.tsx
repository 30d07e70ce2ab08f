// The wall's tools: grid, which cameras, pages and full screen.

import {
  ActionIcon,
  Button,
  Checkbox,
  Popover,
  SegmentedControl,
  Stack,
  Tooltip,
} from '@mantine/core';
import {
  IconArrowsMaximize,
  IconChevronLeft,
  IconChevronRight,
  IconRestore,
} from '@tabler/icons-react';
import type { Camera } from '#contract';
import {
  DEFAULT_ARRANGEMENT,
  GRID_CHOICES,
  type Arrangement,
  type GridChoice,
} from './arrangement.js';
import classes from './Wall.module.css';

interface WallToolsProps {
  readonly cameras: readonly Camera[];
  readonly arrangement: Arrangement;
  readonly page: { pages: number; current: number };
  onArrange(arrangement: Arrangement): void;
  onPage(page: number): void;
  onFullScreen(): void;
}

const LABELS: Record<GridChoice, string> = {
  auto: 'Auto',
  '1': '1',
  '2': '2×2',
  '3': '3×3',
  '4': '4×4',
};

export function WallTools(props: WallToolsProps) {
  const { cameras, arrangement, page, onArrange, onPage, onFullScreen } = props;
  const hidden = new Set(arrangement.hidden);
  const toggle = (id: string) =>
    onArrange({
      ...arrangement,
      hidden: hidden.has(id)
        ? arrangement.hidden.filter((other) => other !== id)
        : [...arrangement.hidden, id],
    });
  return (
    <>
      <SegmentedControl
        aria-label="Grid"
        data={GRID_CHOICES.map((value) => ({ value, label: LABELS[value] }))}
        value={arrangement.grid}
        onChange={(grid) => onArrange({ ...arrangement, grid })}
      />
      <Popover position="bottom-start" shadow="md" trapFocus>
        <Popover.Target>
          <Button variant="default">
            {hidden.size === 0
              ? 'All cameras'
              : `${cameras.length - hidden.size} of ${cameras.length}`}
          </Button>
        </Popover.Target>
        <Popover.Dropdown p="sm">
          <Stack gap={7} className={classes.chooser}>
            {cameras.map((camera) => (
              <Checkbox
                key={camera.id}
                size="xs"
                label={camera.name}
                checked={!hidden.has(camera.id)}
                onChange={() => toggle(camera.id)}
              />
            ))}
            <Button
              variant="subtle"
              size="compact-xs"
              leftSection={<IconRestore size={14} />}
              onClick={() => onArrange({ ...DEFAULT_ARRANGEMENT, grid: arrangement.grid })}
            >
              All, by name
            </Button>
          </Stack>
        </Popover.Dropdown>
      </Popover>
      {page.pages > 1 && (
        <div className={classes.pager}>
          <ActionIcon
            aria-label="Previous page"
            onClick={() => onPage(page.current - 1)}
            disabled={page.current === 0}
          >
            <IconChevronLeft size={16} />
          </ActionIcon>
          <span>
            {page.current + 1} / {page.pages}
          </span>
          <ActionIcon
            aria-label="Next page"
            onClick={() => onPage(page.current + 1)}
            disabled={page.current >= page.pages - 1}
          >
            <IconChevronRight size={16} />
          </ActionIcon>
        </div>
      )}
      <Tooltip label="Full screen (F)">
        <ActionIcon aria-label="Full screen" onClick={onFullScreen}>
          <IconArrowsMaximize size={16} />
        </ActionIcon>
      </Tooltip>
    </>
  );
}
