// What pages share of the server's state, and how fresh each must be.

import { useQuery, QueryClient } from '@tanstack/react-query';
import type { Camera, CameraStatus, Health } from '#contract';
import { calls } from './calls.js';
import { ApiError } from './problem.js';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5000,
      networkMode: 'always',
      retry: (failures, error) =>
        failures < 1 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
    mutations: { networkMode: 'always' },
  },
});

const NO_CAMERAS: readonly Camera[] = [];
const NO_STATUSES: ReadonlyMap<string, CameraStatus> = new Map();

/** All cameras by name. */
export function useCameras() {
  const query = useQuery({
    queryKey: ['cameras'],
    queryFn: calls.cameras,
    refetchInterval: 30_000,
    select: sortCameras,
  });
  return { ...query, cameras: query.data ?? NO_CAMERAS };
}

const byName = new Intl.Collator('en', { numeric: true });
const sortCameras = (answer: { items: Camera[] }): readonly Camera[] =>
  [...answer.items].sort((a, b) => byName.compare(a.name, b.name));

/** What every camera does now, asked every two seconds. */
export function useStatuses() {
  const query = useQuery({
    queryKey: ['status'],
    queryFn: calls.statuses,
    refetchInterval: 2000,
    select: mapStatuses,
  });
  return { ...query, statuses: query.data ?? NO_STATUSES };
}

/** What is wrong with recorders and disks; the same question as for the cameras. */
export function useHealth() {
  const query = useQuery({
    queryKey: ['status'],
    queryFn: calls.statuses,
    refetchInterval: 2000,
    select: healthOf,
  });
  return query.data ?? WELL;
}

const WELL: Health = { status: 'ok', faults: [], warnings: [] };
const healthOf = (answer: { health: Health }): Health => answer.health;

const mapStatuses = (answer: {
  items: { id: string; status: CameraStatus }[];
}): ReadonlyMap<string, CameraStatus> => new Map(answer.items.map((row) => [row.id, row.status]));

/** Progress is worth a closer look. */
export function useStorage() {
  return useQuery({
    queryKey: ['storage'],
    queryFn: calls.storage,
    refetchInterval: ({ state: { data } }) =>
      data?.warmTiers.some(({ mending }) => mending !== undefined) === true ? 2000 : 10_000,
  });
}

export function useHolds(enabled: boolean) {
  return useQuery({ queryKey: ['holds'], queryFn: calls.holds, refetchInterval: 10_000, enabled });
}
