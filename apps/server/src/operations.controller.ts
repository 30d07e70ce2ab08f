// Whether all is well, in numbers and in words, and the door's own description.

import { Controller, Get, Header, Inject, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { Health } from '#contract';
import { docsPage } from './docs-page.js';
import { Metrics } from './metrics.js';
import { openApiDocument } from './openapi.js';
import type { AdmittedRequest } from './session-guard.js';
import { StatusDesk, type CameraState } from './status-desk.js';

@Controller()
export class OperationsController {
  constructor(
    @Inject(StatusDesk) private readonly statuses: StatusDesk,
    @Inject(Metrics) private readonly numbers: Metrics,
  ) {}

  @Get('healthz')
  @Header('cache-control', 'no-store')
  async health(
    @Req() { principal }: AdmittedRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Health> {
    const isStranger = principal === undefined;
    const health = await (isStranger ? this.statuses.publicHealth() : this.statuses.health());
    response.status(health.status === 'ok' ? 200 : 503);
    return health;
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  metrics(): Promise<string> {
    return this.numbers.text();
  }

  @Get('api/status')
  status(): Promise<{ items: CameraState[]; health: Health }> {
    return this.statuses.overview();
  }

  @Get('api/openapi.json')
  openApi(): object {
    return openApiDocument();
  }

  @Get('api/docs')
  @Header('content-type', 'text/html; charset=utf-8')
  docs(): string {
    return docsPage();
  }
}
