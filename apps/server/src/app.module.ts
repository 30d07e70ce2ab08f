// The server's parts, opened and put together in one place.

import { Module, type DynamicModule } from '@nestjs/common';
import { SecretBox, type Clock, type Log, type Shutdown } from '#base';
import { Catalog } from '#catalog';
import { AuditDesk } from './audit-desk.js';
import { AuthController } from './auth.controller.js';
import { CameraDesk } from './camera-desk.js';
import { CamerasController } from './cameras.controller.js';
import type { ServerConfig } from './config.js';
import { Connections } from './connections.js';
import { EventDesk } from './event-desk.js';
import { Gatekeeper, type TrustProxy } from './gatekeeper.js';
import { InternalController } from './internal.controller.js';
import { LoginThrottle } from './login-throttle.js';
import { RecorderRegistry } from './recorder-registry.js';
import { SignIn } from './sign-in.js';
import { UserDesk } from './user-desk.js';
import { UsersController } from './users.controller.js';

export interface Parts {
  readonly module: DynamicModule;
  readonly gatekeeper: Gatekeeper;
  readonly connections: Connections;
  readonly signIn: SignIn;
  readonly cameraDesk: CameraDesk;
  readonly catalog: Catalog;
}

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
    const catalog = await Catalog.open({
      databaseUrl: config.databaseUrl,
      secretBox: new SecretBox(config.secretKey),
      clock,
      log,
    });
    shutdown.add('catalog', () => catalog.close());
    const audit = new AuditDesk(catalog, clock);
    const events = new EventDesk({ catalog, clock, log });
    shutdown.add('events', () => events.close());
    const registry = new RecorderRegistry({
      catalog,
      clock,
      log,
      internalSecret: config.internalSecret,
    });
    shutdown.add('registry', () => registry.close());
    const gatekeeper = new Gatekeeper({ catalog, clock, trustProxy: o.trustProxy });
    const connections = new Connections({ gatekeeper, clock, log });
    shutdown.add('connections', () => connections.close());
    const throttle = new LoginThrottle(clock);
    const signIn = new SignIn({ catalog, gatekeeper, throttle, audit, log });
    const cameraDesk = new CameraDesk({ catalog, registry, audit, events });
    const userDesk = new UserDesk({ catalog, gatekeeper, connections, audit });

    const parts = [catalog, audit, events, registry, gatekeeper, connections, signIn, cameraDesk, userDesk];
    const module: DynamicModule = {
      module: AppModule,
      controllers: [AuthController, CamerasController, InternalController, UsersController],
      providers: parts.map((part) => ({ provide: part.constructor, useValue: part })),
    };
    return { module, gatekeeper, connections, signIn, cameraDesk, catalog };
  }
}
