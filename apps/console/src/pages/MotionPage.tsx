// Motion search: which cameras, when, where in the picture and how much; newest first.

import { Button, MultiSelect, Slider, Text } from '@mantine/core';
import { useDebouncedValue, useIntersection } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { calls } from '../api/calls.js';
import { useCameras, useStatuses } from '../api/queries.js';
import { formatPercent } from '../format.js';
import { MotionCard } from '../motion-search/MotionCard.js';
import { PeriodFields, usualPeriod } from '../motion-search/PeriodFields.js';
import { regionQuery, type CellRegion } from '../motion-search/region.js';
import { RegionPicker } from '../motion-search/RegionPicker.js';
import { Fault, Unavailable } from '../shell/Fault.js';
import { Page } from '../shell/Page.js';
import classes from './Pages.module.css';

const PAGE = 60;

export function MotionPage() {
  const { cameras } = useCameras();
  const { statuses } = useStatuses();
  const [chosen, setChosen] = useState<string[]>([]);
  const [period, setPeriod] = useState(() => usualPeriod('24'));
  const [region, setRegion] = useState<CellRegion>();
  const [level, setLevel] = useState(0);

  // As text, because the list itself is new on every render.
  const idText = (chosen.length > 0 ? chosen : cameras.map((camera) => camera.id)).join(',');
  const pictured = cameras.find((camera) => camera.id === (chosen[0] ?? cameras[0]?.id));
  const asked = useMemo(
    () => ({
      cameras: idText,
      fromMs: period.fromMs,
      toMs: period.toMs,
      region: regionQuery(region),
      minLevel: level,
    }),
    [idText, period, region, level],
  );
  const [settled] = useDebouncedValue(asked, 250);
  const found = useInfiniteQuery({
    queryKey: ['motion', settled],
    enabled: settled.cameras !== '' && settled.fromMs < settled.toMs,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      calls.motion({
        cameras: settled.cameras.split(','),
        fromMs: settled.fromMs,
        toMs: settled.toMs,
        minLevel: settled.minLevel,
        limit: PAGE,
        signal,
        ...(settled.region === undefined ? {} : { region: settled.region }),
        ...(pageParam === undefined ? {} : { cursor: pageParam }),
      }),
    getNextPageParam: (last) => last.cursor,
  });
  const items = found.data?.pages.flatMap((page) => page.items) ?? [];
  const names = new Map(cameras.map((camera) => [camera.id, camera.name]));
  const end = useIntersection({ rootMargin: '400px' });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = found;
  const atEnd = end.entry?.isIntersecting === true;
  useEffect(() => {
    if (atEnd && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [atEnd, hasNextPage, isFetchingNextPage, fetchNextPage]);

  return (
    <Page
      title="Motion"
      name="Motion"
      layout="fill"
      tools={
        <Text size="sm" c="dimmed" data-testid="motion-count">
          {found.isSuccess ? `${items.length}${hasNextPage ? ' or more' : ''} found` : ''}
        </Text>
      }
    >
      <div className={classes.search}>
        <div className={classes.filters}>
          <MultiSelect
            label="Cameras"
            placeholder={chosen.length === 0 ? 'All cameras' : ''}
            data={cameras.map((camera) => ({ value: camera.id, label: camera.name }))}
            value={chosen}
            onChange={setChosen}
            searchable
            clearable
          />
          <PeriodFields period={period} onPeriod={setPeriod} />
          <div>
            <Text size="sm" fw={500}>
              At least {formatPercent(level)} movement
            </Text>
            <Slider
              aria-label="Least movement"
              min={0}
              max={1}
              step={0.01}
              label={formatPercent}
              value={level}
              onChange={setLevel}
            />
          </div>
          {pictured !== undefined && (
            <RegionPicker
              camera={pictured}
              status={statuses.get(pictured.id)}
              region={region}
              onRegion={setRegion}
            />
          )}
        </div>
        <div className={classes.results}>
          <Fault
            error={found.error}
            title="The search failed"
            onRetry={() => void found.refetch()}
          />
          <Unavailable recorders={found.data?.pages.at(-1)?.unavailable} />
          {found.isSuccess && items.length === 0 && (
            <p className={classes.quiet}>
              Nothing moved there in this period. Take a longer period, a greater part of the
              picture, or less movement.
            </p>
          )}
          <div className={classes.cards}>
            {items.map((item) => (
              <MotionCard
                key={item.id}
                item={item}
                name={names.get(item.camera) ?? 'Deleted camera'}
              />
            ))}
          </div>
          <div ref={end.ref} className={classes.more}>
            {isFetchingNextPage && 'Looking further back'}
            {hasNextPage && !isFetchingNextPage && (
              <Button variant="default" onClick={() => void fetchNextPage()}>
                More
              </Button>
            )}
          </div>
        </div>
      </div>
    </Page>
  );
}
