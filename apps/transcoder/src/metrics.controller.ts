// The internal door's metrics; the server merges them into its own.

import { Controller, Get, Header, Inject } from '@nestjs/common';
import { metricsText } from './metrics.js';
import { StatusDesk } from './status-desk.js';

@Controller('internal/metrics')
export class MetricsController {
  constructor(@Inject(StatusDesk) private readonly desk: StatusDesk) {}

  @Get()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  metrics(): Promise<string> {
    return metricsText(this.desk.state());
  }
}
