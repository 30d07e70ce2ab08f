// Disks, what cameras take, how long space lasts, what goes next, and what must stay.

import { Table } from '@mantine/core';
import type { Storage } from '#contract';
import { useCameras, useStorage } from '../api/queries.js';
import { useMay } from '../api/use-session.js';
import { formatBytes, formatDay, formatMoment } from '../format.js';
import { Fault, Unavailable } from '../shell/Fault.js';
import { Page } from '../shell/Page.js';
import { Holds } from '../storage/Holds.js';
import { PendingRetention } from '../storage/PendingRetention.js';
import classes from './Pages.module.css';

const LEVEL: Record<Storage['disks'][number]['state'], string> = {
  ok: 'ok',
  low: 'warn',
  slow: 'bad',
  critical: 'bad',
  full: 'bad',
  failed: 'bad',
};

export function StoragePage() {
  const may = useMay();
  const { cameras } = useCameras();
  const storage = useStorage();
  const names = new Map(cameras.map((camera) => [camera.id, camera.name]));
  const nameOf = (id: string) => names.get(id) ?? 'Deleted camera';
  const data = storage.data;
  return (
    <Page title="Storage" name="Storage">
      <div className={classes.blocks}>
        <Fault
          error={storage.error}
          title="Storage cannot be read"
          onRetry={() => void storage.refetch()}
        />
        <Unavailable recorders={data?.unavailable} />
        {cameras.map((camera) => (
          <PendingRetention key={camera.id} camera={camera} />
        ))}
        {data !== undefined && (
          <>
            <section>
              <h2>Disks</h2>
              <div className={classes.disks}>
                {data.disks.map((disk) => (
                  <Disk key={disk.path} disk={disk} watermarks={data.watermarks} />
                ))}
              </div>
              <p className={classes.quiet} style={{ marginTop: 10 }}>
                {forecast(data)}
              </p>
            </section>
            <div className={classes.split}>
              <Usage rows={data.cameras} nameOf={nameOf} />
              <NextDeletions rows={data.nextDeletions} nameOf={nameOf} />
            </div>
          </>
        )}
        {may('GET', '/api/holds') && <Holds nameOf={nameOf} />}
      </div>
    </Page>
  );
}

const RULE: Readonly<Record<string, string>> = {
  age: 'its days',
  'motion-age': 'its days of movement',
  'lowres-age': 'its days of low resolution',
};

const LIMIT = {
  age: 'Limited by its days',
  'camera-bytes': 'Limited by its gigabytes',
  'disk-space': 'Limited by the disks',
};

function daysText(days: number): string {
  return `${days < 10 ? Number(days.toFixed(1)) : Math.round(days)} d`;
}

function forecast(data: Storage): string {
  const perDay = data.cameras.reduce((sum, row) => sum + row.bytesPerDay, 0);
  const rate = `All cameras together write ${formatBytes(perDay)} a day.`;
  if (data.daysLeft === undefined) return rate;
  const days = data.daysLeft < 10 ? data.daysLeft.toFixed(1) : Math.round(data.daysLeft).toString();
  return `${rate} At today’s rate the free space lasts ${days} days; retention frees space before that where it applies.`;
}

function Disk({
  disk,
  watermarks,
}: {
  disk: Storage['disks'][number];
  watermarks: Storage['watermarks'];
}) {
  const share = (bytes: number) =>
    `${Math.max(0, Math.min(100, (bytes / Math.max(1, disk.sizeBytes)) * 100))}%`;
  const other = Math.max(0, disk.sizeBytes - disk.freeBytes - disk.footageBytes);
  return (
    <article className={classes.disk} data-testid="disk">
      <header>
        <b>{disk.path}</b>
        <span className={classes.state} data-level={LEVEL[disk.state]}>
          {disk.state}
        </span>
      </header>
      <div className={classes.meter}>
        <i style={{ width: share(disk.footageBytes) }} title="Footage" />
        <i style={{ width: share(other) }} data-kind="other" title="Other files" />
        <u
          style={{ right: share(watermarks.lowBytes) }}
          title={`Low water: below ${formatBytes(watermarks.lowBytes)} free`}
        />
        <u
          style={{ right: share(watermarks.stopBytes) }}
          title={`Reserve of the index: recording stops below ${formatBytes(watermarks.stopBytes)} free`}
        />
      </div>
      <div className={classes.legend}>
        <span>
          {formatBytes(disk.freeBytes)} free of {formatBytes(disk.sizeBytes)}
        </span>
        <span>{formatBytes(disk.footageBytes)} footage</span>
        <span>{formatBytes(other)} other</span>
      </div>
      <p className={classes.quiet} data-testid="watermarks">
        Below {formatBytes(watermarks.lowBytes)} free the oldest goes, below{' '}
        {formatBytes(watermarks.criticalBytes)} at once; below {formatBytes(watermarks.stopBytes)},
        the reserve of the index, recording stops.
      </p>
      {disk.reason !== undefined && <p className={classes.quiet}>{disk.reason}</p>}
    </article>
  );
}

interface RowsProps<T> {
  readonly rows: readonly T[];
  nameOf(id: string): string;
}

function Usage({ rows, nameOf }: RowsProps<Storage['cameras'][number]>) {
  const most = Math.max(1, ...rows.map((row) => row.bytes));
  return (
    <section>
      <h2>By camera</h2>
      {rows.length === 0 && <p className={classes.quiet}>Nothing has been recorded yet.</p>}
      {rows.length > 0 && (
        <div className={classes.tableBox}>
          <Table className={`${classes.table} ${classes.narrow}`}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Camera</Table.Th>
                <Table.Th ta="right">Footage</Table.Th>
                <Table.Th w="22%" aria-label="Share" />
                <Table.Th ta="right">A day</Table.Th>
                <Table.Th>Since</Table.Th>
                <Table.Th ta="right">Kept</Table.Th>
                <Table.Th ta="right">Will reach</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {[...rows]
                .sort((a, b) => b.bytes - a.bytes)
                .map((row) => (
                  <Table.Tr key={row.id}>
                    <Table.Td>{nameOf(row.id)}</Table.Td>
                    <Table.Td ta="right">{formatBytes(row.bytes)}</Table.Td>
                    <Table.Td>
                      <div className={classes.meter}>
                        <i style={{ width: `${(row.bytes / most) * 100}%` }} />
                      </div>
                    </Table.Td>
                    <Table.Td ta="right">{formatBytes(row.bytesPerDay)}</Table.Td>
                    <Table.Td className={classes.dim}>
                      {row.oldest === undefined ? '' : formatDay(Date.parse(row.oldest))}
                    </Table.Td>
                    <Table.Td ta="right">{row.retentionDays} d</Table.Td>
                    <Table.Td ta="right" title={row.limitedBy && LIMIT[row.limitedBy]}>
                      {row.forecastDays === undefined ? '' : daysText(row.forecastDays)}
                    </Table.Td>
                  </Table.Tr>
                ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </section>
  );
}

function NextDeletions({ rows, nameOf }: RowsProps<Storage['nextDeletions'][number]>) {
  return (
    <section>
      <h2>Goes next</h2>
      {rows.length === 0 && <p className={classes.quiet}>Nothing is due for deletion.</p>}
      {rows.length > 0 && (
        <div className={classes.tableBox}>
          <Table className={`${classes.table} ${classes.narrow}`}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>When</Table.Th>
                <Table.Th>Camera</Table.Th>
                <Table.Th ta="right">Size</Table.Th>
                <Table.Th>By which rule</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.slice(0, 40).map((row, index) => (
                <Table.Tr key={`${row.camera}-${row.at}-${index}`}>
                  <Table.Td>{formatMoment(Date.parse(row.at))}</Table.Td>
                  <Table.Td>{nameOf(row.camera)}</Table.Td>
                  <Table.Td ta="right">{formatBytes(row.bytes)}</Table.Td>
                  <Table.Td className={classes.dim}>{RULE[row.rule] ?? row.rule}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </section>
  );
}
