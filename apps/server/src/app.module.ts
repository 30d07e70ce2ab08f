// The server's parts, opened and put together in one place.

import { Module, type DynamicModule } from '@nestjs/common';
import { messageOf, SecretBox, type Clock, type Log, type Shutdown } from '#base';
import { Catalog } from '#catalog';
import { OnvifCamera } from '#onvif';
import { AuditDesk } from './audit-desk.js';
import { AuthController } from './auth.controller.js';
import { CameraDesk } from './camera-desk.js';
import { CameraSharesDesk } from './camera-shares.js';
import { CameraSpread } from './camera-spread.js';
import { CamerasController } from './cameras.controller.js';
import { ComposedFootageController } from './composed-footage.controller.js';
import { ComposedFootage } from './composed-footage.js';
import type { ServerConfig } from './config.js';
import { Connections } from './connections.js';
import { DeletionCollector } from './deletion-collector.js';
import { DiscoveryController } from './discovery.controller.js';
import { Discovery } from './discovery.js';
import { EventDesk } from './event-desk.js';
import { ExportDesk } from './export-desk.js';
import { ExportsController } from './exports.controller.js';
import { FeedGateway } from './feed.gateway.js';
import { FootageController } from './footage.controller.js';
import { FootageDesk } from './footage-desk.js';
import { FootageIndexController } from './footage-index.controller.js';
import { FootageIndex } from './footage-index.js';
import { Gatekeeper, type TrustProxy } from './gatekeeper.js';
import { HoldDesk } from './hold-desk.js';
import { HoldsController } from './holds.controller.js';
import { InternalController } from './internal.controller.js';
import { JobDoor } from './job-door.js';
import { JournalController } from './journal.controller.js';
import { LiveGateway } from './live.gateway.js';
import { LoginThrottle } from './login-throttle.js';
import { MediaProxy } from './media-proxy.js';
import { Metrics } from './metrics.js';
import { OperationsController } from './operations.controller.js';
import { PtzController } from './ptz.controller.js';
import { PtzDesk } from './ptz-desk.js';
import { PtzGateway } from './ptz.gateway.js';
import { RecorderDesk } from './recorder-desk.js';
import { RetentionDesk } from './retention-desk.js';
import { RecorderFanOut } from './recorder-fan-out.js';
import { RecorderRegistry } from './recorder-registry.js';
import { RecordersController } from './recorders.controller.js';
import { SignIn } from './sign-in.js';
import { Sockets } from './sockets.js';
import { StatusDesk } from './status-desk.js';
import { UserDesk } from './user-desk.js';
import { UsersController } from './users.controller.js';

export interface Parts {
  readonly module: DynamicModule;
  /** Where others reach the internal door; set once it is open, unless somebody said it. */
  readonly ownDoor: { url: string | undefined };
  readonly catalog: Catalog;
  readonly cameraDesk: CameraDesk;
  readonly deletions: DeletionCollector;
  readonly gatekeeper: Gatekeeper;
  readonly metrics: Metrics;
  readonly signIn: SignIn;
  readonly sockets: Sockets;
}

/** An operator holds a stick: a camera that takes longer cannot be moved by one. */
const ONVIF_DEADLINE_MS = 5000;

@Module({})
export class AppModule {
  /** Opens everything the server needs; `shutdown` closes it. */
  static async open(o: {
    config: ServerConfig;
    clock: Clock;
    log: Log;
    shutdown: Shutdown;
    trustProxy: TrustProxy;
  }): Promise<Parts> {
    const { config, clock, log, shutdown } = o;
    const { internalSecret, databaseUrl, redisUrl } = config;
    const secretBox = new SecretBox(config.secretKey);
    const catalog = await Catalog.open({ databaseUrl, secretBox, clock, log });
    const audit = new AuditDesk(catalog, clock);
    const events = new EventDesk({ catalog, clock, log });
    const registry = new RecorderRegistry({ clock, log, internalSecret });
    const spread = await CameraSpread.open({ catalog, registry, clock, log });
    registry.listen({
      onLost: ({ role, id }) =>
        role === 'recorder' &&
        events.notice({ kind: 'recorder-lost', message: `recorder ${id} does not answer` }),
      onBack: ({ role, id }) =>
        role === 'recorder' &&
        events.notice({ kind: 'recorder-back', message: `recorder ${id} is back` }),
    });
    const fanOut = new RecorderFanOut({ registry, spread, log });
    const statuses = new StatusDesk({ catalog, fanOut, spread, clock });
    const index = new FootageIndex({ fanOut, spread, clock });
    const shares = new CameraSharesDesk({ fanOut, spread, registry });

    const gatekeeper = new Gatekeeper({ catalog, clock, trustProxy: o.trustProxy });
    const connections = new Connections({ gatekeeper, clock, log });
    const throttle = new LoginThrottle(clock);
    const signIn = new SignIn({ catalog, gatekeeper, throttle, audit, log });
    const userDesk = new UserDesk({ catalog, gatekeeper, connections, audit });

    const ptz = new PtzDesk({
      clock,
      log,
      findAccess: (camera) => catalog.cameras.onvifAccess(camera),
      connect: (access) => OnvifCamera.connect({ ...access, deadlineMs: ONVIF_DEADLINE_MS }),
      onTaken: (camera, { name, address }) =>
        void audit
          .recordAttempt(name, address, { action: 'ptz.move', subject: camera })
          .catch((error: unknown) =>
            log.error({ reason: messageOf(error) }, 'PTZ is not in the trail'),
          ),
    });
    const retentionDesk = new RetentionDesk({
      ...{ catalog, fanOut, spread, audit, events, clock, log },
    });
    const cameraDesk = new CameraDesk({
      retention: retentionDesk,
      catalog,
      spread,
      audit,
      events,
      ptz,
      rtmpPort: config.rtmpPort,
    });
    const holdDesk = new HoldDesk({ catalog, spread, audit });
    const recorderDesk = new RecorderDesk({ spread, registry, audit });
    const discovery = new Discovery(registry);
    const proxy = new MediaProxy({ internalSecret, connections });
    const ownDoor = { url: config.serverUrl };
    const composed = new ComposedFootage({ registry, spread, index });
    const footageDesk = new FootageDesk({
      ...{ registry, spread, composed, proxy, audit },
      ownDoor: () => ownDoor.url ?? '',
    });
    const jobs = new JobDoor({ databaseUrl, redisUrl, log });
    const exportDesk = new ExportDesk({
      ...{ catalog, jobs, registry, proxy, audit, events },
      ...{ clock, log },
      sourceUrl: (camera) => footageDesk.sourceUrl(camera),
    });
    const deletions = new DeletionCollector({ catalog, registry, clock, log });
    const metrics = new Metrics({ recorders: registry, connections });
    const feed = new FeedGateway({ events, statuses, clock, log });
    const sockets = new Sockets({
      ...{ gatekeeper, connections, clock, log },
      gateways: [
        new LiveGateway({ spread, audit, internalSecret, log }),
        new PtzGateway(ptz, clock),
        feed,
      ],
    });

    // Closed from the last to the first: what people hold open goes before what it leans on.
    shutdown.add('catalog', () => catalog.close());
    shutdown.add('jobs', () => jobs.close());
    shutdown.add('events', () => events.close());
    shutdown.add('registry', () => registry.close());
    shutdown.add('camera spread', () => spread.close());
    shutdown.add('retention', () => retentionDesk.close());
    shutdown.add('exports', () => exportDesk.close());
    shutdown.add('deletions', () => deletions.close());
    shutdown.add('feed', () => feed.close());
    shutdown.add('proxy', () => proxy.close());
    shutdown.add('ptz', () => ptz.close());
    shutdown.add('sockets', () => sockets.close());
    shutdown.add('connections', () => connections.close());

    const parts = [
      ...[catalog, audit, events, registry, spread, statuses, index, shares, composed],
      ...[gatekeeper, signIn, metrics],
      ...[
        recorderDesk,
        userDesk,
        cameraDesk,
        retentionDesk,
        holdDesk,
        exportDesk,
        footageDesk,
        ptz,
        discovery,
      ],
    ];
    const module: DynamicModule = {
      module: AppModule,
      controllers: [
        AuthController,
        // Before `cameras/:id`, which would take `cameras/probe` for an id.
        DiscoveryController,
        CamerasController,
        ComposedFootageController,
        ExportsController,
        FootageController,
        FootageIndexController,
        HoldsController,
        InternalController,
        JournalController,
        OperationsController,
        PtzController,
        RecordersController,
        UsersController,
      ],
      providers: parts.map((part) => ({ provide: part.constructor, useValue: part })),
    };
    return {
      ...{ module, ownDoor, catalog, cameraDesk, deletions, gatekeeper, metrics, signIn, sockets },
    };
  }
}
