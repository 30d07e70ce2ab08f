// The internal door's state.

import { Controller, Get, Inject } from '@nestjs/common';
import { StatusDesk, type TranscoderState } from './status-desk.js';

@Controller('internal/status')
export class StatusController {
  constructor(@Inject(StatusDesk) private readonly desk: StatusDesk) {}

  @Get()
  status(): TranscoderState {
    return this.desk.state();
  }
}
