// Lets in nobody but the house's own processes.

import { NightjarError, isInternalCaller } from '#base';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

export class InternalGuard implements CanActivate {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    if (isInternalCaller(request.headers.authorization, this.#secret)) return true;
    throw new NightjarError('unauthenticated', 'expected the secret of the internal door');
  }
}
