// Disks, what cameras take, how long space lasts, what goes and went, what is damaged, what must stay.

import { Alert } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useCameras, useHealth, useStorage } from '../api/queries.js';
import { useMay } from '../api/use-session.js';
import { Fault, Unavailable } from '../shell/Fault.js';
import { Page } from '../shell/Page.js';
import { CameraTable } from '../storage/CameraTable.js';
import { NextDeletions, PastDeletions } from '../storage/Deletions.js';
import { DiskCard } from '../storage/DiskCard.js';
import { Holds } from '../storage/Holds.js';
import { PendingRetention } from '../storage/PendingRetention.js';
import { ScrubPanel } from '../storage/ScrubPanel.js';
import { daysText, spaceText, stateOf } from '../storage/storage-words.js';
import { WarmPanel } from '../storage/WarmPanel.js';
import classes from './Pages.module.css';

export function StoragePage() {
  const may = useMay();
  const { cameras } = useCameras();
  const { warnings } = useHealth();
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
        {data?.stopsInDays !== undefined && (
          <Alert
            color="red"
            variant="light"
            p="sm"
            icon={<IconAlertTriangle size={16} />}
            title={`Recording stops in ${daysText(data.stopsInDays)}`}
            data-testid="stops"
          >
            What must stay (minimum days, cameras that would rather stop than delete) does not fit
            on the disks at today’s rates. Add a disk, or change those rules.
          </Alert>
        )}
        {warnings.length > 0 && (
          <Alert
            color="yellow"
            variant="light"
            p="sm"
            icon={<IconAlertTriangle size={16} />}
            data-testid="warnings"
          >
            {warnings.map((warning) => (
              <div key={warning}>{warning}.</div>
            ))}
          </Alert>
        )}
        {cameras.map((camera) => (
          <PendingRetention key={camera.id} camera={camera} />
        ))}
        {data !== undefined && (
          <>
            <section>
              <h2>Disks</h2>
              <div className={classes.disks}>
                {data.disks.map((disk) => (
                  <DiskCard
                    key={`${disk.device ?? ''} ${disk.path}`}
                    disk={disk}
                    watermarks={data.watermarks}
                    othersRecord={data.disks.some(
                      (other) => other !== disk && stateOf(other).records,
                    )}
                  />
                ))}
              </div>
              <p className={classes.quiet} style={{ marginTop: 10 }} data-testid="space">
                {spaceText(data)}
              </p>
            </section>
            <div className={classes.split}>
              <CameraTable rows={data.cameras} nameOf={nameOf} />
              <NextDeletions rows={data.nextDeletions} nameOf={nameOf} />
            </div>
            <div className={classes.split}>
              <ScrubPanel scrubs={data.scrubs} nameOf={nameOf} />
              <PastDeletions nameOf={nameOf} />
            </div>
            <WarmPanel tiers={data.warmTiers} />
          </>
        )}
        {may('GET', '/api/holds') && <Holds nameOf={nameOf} />}
      </div>
    </Page>
  );
}
