// What each camera takes, what it brings a day, and how far back it will reach.

import { Table } from '@mantine/core';
import type { Storage } from '#contract';
import { formatBytes, formatDay } from '../format.js';
import pages from '../pages/Pages.module.css';
import classes from './Storage.module.css';
import { daysText, limitText, reachLines } from './storage-words.js';

interface CameraTableProps {
  readonly rows: Storage['cameras'];
  nameOf(id: string): string;
}

export function CameraTable({ rows, nameOf }: CameraTableProps) {
  return (
    <section data-testid="by-camera">
      <h2>By camera</h2>
      {rows.length === 0 && <p className={pages.quiet}>Nothing has been recorded yet.</p>}
      {rows.length > 0 && (
        <div className={pages.tableBox}>
          <Table className={`${pages.table} ${pages.narrow}`}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Camera</Table.Th>
                <Table.Th ta="right">Footage</Table.Th>
                <Table.Th ta="right" className={classes.wideOnly}>
                  A day
                </Table.Th>
                <Table.Th className={classes.wideOnly}>Since</Table.Th>
                <Table.Th ta="right">To keep</Table.Th>
                <Table.Th>Will reach back</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {[...rows]
                .sort((a, b) => b.bytes - a.bytes)
                .map((row) => {
                  const [first = '', ...further] = reachLines(row);
                  const isCut = row.limitedBy !== undefined && row.limitedBy !== 'age';
                  return (
                    <Table.Tr key={row.id} data-testid="camera-use">
                      <Table.Td>{nameOf(row.id)}</Table.Td>
                      <Table.Td ta="right">{formatBytes(row.bytes)}</Table.Td>
                      <Table.Td ta="right" className={classes.wideOnly}>
                        {formatBytes(row.bytesPerDay)}
                      </Table.Td>
                      <Table.Td className={`${pages.dim} ${classes.wideOnly}`}>
                        {row.oldest === undefined ? '' : formatDay(Date.parse(row.oldest))}
                      </Table.Td>
                      <Table.Td ta="right">{daysText(row.retentionDays)}</Table.Td>
                      <Table.Td className={pages.wide} data-testid="reach">
                        {isCut ? (
                          <span className={pages.state} data-level="warn">
                            {first}, limited {limitText(row)}
                          </span>
                        ) : (
                          first
                        )}
                        {further.length > 0 && <small>{further.join(', ')}</small>}
                      </Table.Td>
                    </Table.Tr>
                  );
                })}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </section>
  );
}
