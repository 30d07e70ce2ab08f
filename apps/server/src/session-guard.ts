// Nest's guard over every route: the contract's table and the gatekeeper decide, nothing else.

import { createParamDecorator, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { isInternalCaller, NightjarError } from '#base';
import type { Gatekeeper, Principal } from './gatekeeper.js';
import { findRoute } from './route-table.js';

export type AdmittedRequest = Request & { principal?: Principal };

export class SessionGuard implements CanActivate {
  readonly #gatekeeper: Gatekeeper;
  readonly #internalSecret: string;

  constructor(gatekeeper: Gatekeeper, internalSecret: string) {
    this.#gatekeeper = gatekeeper;
    this.#internalSecret = internalSecret;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AdmittedRequest>();
    const { path: pattern } = request.route as { path: string };
    if (pattern.startsWith('/internal/')) {
      if (isInternalCaller(request.headers.authorization, this.#internalSecret)) return true;
      throw new NightjarError('unauthenticated', 'expected the secret of the internal door');
    }
    const route = findRoute(request.method, pattern);
    if (route === undefined) throw new NightjarError('not-found', 'there is nothing here');
    const principal = await this.#gatekeeper.admit(route, request);
    if (principal !== undefined) request.principal = principal;
    return true;
  }
}

/** Who calls, on routes that are not public. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Principal =>
  callerOf(context.switchToHttp().getRequest<AdmittedRequest>()),
);

export function callerOf({ principal }: AdmittedRequest): Principal {
  if (principal === undefined) throw new NightjarError('unauthenticated', 'expected a session');
  return principal;
}
