// The joystick's WebSocket: commands in, outcomes out, everything stopped when it closes.

import type { WebSocket } from 'ws';
import { NightjarError, toNightjarError, type Clock } from '#base';
import { ptzCommandSchema, type PtzCommand, type PtzReply } from '#contract';
import { parse, problemOf } from './problem.js';
import type { Operator, PtzDesk } from './ptz-desk.js';
import type { Gateway, SocketCall } from './sockets.js';

export class PtzGateway implements Gateway {
  readonly path = '/api/ptz';
  readonly #desk: PtzDesk;
  readonly #clock: Clock;
  #opened = 0;

  constructor(desk: PtzDesk, clock: Clock) {
    this.#desk = desk;
    this.#clock = clock;
  }

  open(socket: WebSocket, { principal }: SocketCall): void {
    const reply = (message: PtzReply) => {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
    };
    const operator: Operator = {
      key: `socket ${++this.#opened}`,
      name: principal.session.user.username,
      address: principal.address,
      onStopped: (camera, why) => reply({ type: 'stopped', camera, why }),
    };
    socket.on('message', (data) => void this.#handle(String(data), operator, reply));
    socket.on('close', () => this.#desk.leave(operator));
  }

  async #handle(
    text: string,
    operator: Operator,
    reply: (message: PtzReply) => void,
  ): Promise<void> {
    const startedMs = this.#clock.monotonicMs();
    let command: PtzCommand | undefined;
    try {
      command = parse(ptzCommandSchema, jsonOf(text));
      const { camera, sequence } = command;
      if (command.type === 'move') {
        const { pan, tilt, zoom } = command;
        const outcome = await this.#desk.move(camera, { pan, tilt, zoom }, operator);
        if (outcome === 'replaced') return;
        const latencyMs = this.#clock.monotonicMs() - startedMs;
        reply({ type: 'done', camera, ...(sequence === undefined ? {} : { sequence }), latencyMs });
      } else {
        await this.#desk.stop(camera, operator);
        reply({ type: 'stopped', camera, why: 'operator' });
      }
    } catch (thrown) {
      const error = toNightjarError(thrown);
      const holder = error.context['holder'];
      if (command !== undefined && typeof holder === 'string') {
        reply({ type: 'locked', camera: command.camera, holder });
      } else {
        const { code, detail } = problemOf(error);
        reply({
          type: 'error',
          ...(command === undefined ? {} : { camera: command.camera }),
          code,
          detail,
        });
      }
    }
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new NightjarError('invalid-argument', 'expected a command as JSON');
  }
}
