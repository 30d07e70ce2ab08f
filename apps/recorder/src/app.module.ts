// The recorder's controllers around what `openParts` opened.

import { Module, type DynamicModule } from '@nestjs/common';
import { ControlController } from './control.controller.js';
import { FootageController } from './footage.controller.js';
import { PARTS, type Parts } from './parts.js';
import { StateController } from './state.controller.js';

@Module({})
export class AppModule {
  static of(parts: Parts): DynamicModule {
    return {
      module: AppModule,
      controllers: [StateController, ControlController, FootageController],
      providers: [{ provide: PARTS, useValue: parts }],
    };
  }
}
