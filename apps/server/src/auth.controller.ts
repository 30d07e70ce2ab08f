// Signing in, signing out, and the first administrator.

import { Body, Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { CookieOptions, Request, Response } from 'express';
import {
  loginInputSchema,
  setupInputSchema,
  type LoginAnswer,
  type LoginInput,
  type Me,
} from '#contract';
import { Gatekeeper, SESSION_COOKIE, type Principal } from './gatekeeper.js';
import { Fits } from './input.js';
import { Caller } from './session-guard.js';
import { meOf, SignIn } from './sign-in.js';

/** The cookie may live as long as a session can; the session itself ends earlier. */
const COOKIE_MS = 30 * 24 * 3_600_000;

@Controller('api')
export class AuthController {
  constructor(
    @Inject(SignIn) private readonly signIn: SignIn,
    @Inject(Gatekeeper) private readonly gatekeeper: Gatekeeper,
  ) {}

  @Get('setup')
  setupState(): { needed: boolean } {
    return { needed: this.signIn.setupNeeded };
  }

  @Post('setup')
  @HttpCode(200)
  async setUp(
    @Body(new Fits(setupInputSchema)) input: { token: string; password: string },
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<LoginAnswer> {
    const address = this.gatekeeper.addressOf(request);
    const answer = await this.signIn.setUp(input.token, input.password, address);
    response.cookie(SESSION_COOKIE, answer.token, this.#cookie(request, COOKIE_MS));
    return answer;
  }

  @Post('auth/login')
  @HttpCode(200)
  async logIn(
    @Body(new Fits(loginInputSchema)) input: LoginInput,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<LoginAnswer> {
    const address = this.gatekeeper.addressOf(request);
    const answer = await this.signIn.logIn(input.username, input.password, address);
    response.cookie(SESSION_COOKIE, answer.token, this.#cookie(request, COOKIE_MS));
    return answer;
  }

  @Post('auth/logout')
  @HttpCode(204)
  async logOut(
    @Caller() caller: Principal,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    await this.signIn.logOut(caller);
    response.cookie(SESSION_COOKIE, '', this.#cookie(request, 0));
  }

  @Get('auth/me')
  me(@Caller() { session, token }: Principal): Me {
    return meOf(session, token);
  }

  #cookie(request: Request, maxAge: number): CookieOptions {
    const secure = this.gatekeeper.isSecure(request);
    return { httpOnly: true, sameSite: 'strict', path: '/', secure, maxAge };
  }
}
