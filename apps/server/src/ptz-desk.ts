// Moves cameras for operators: one at a time per camera, the latest command wins, and a camera whose
// operator falls silent is stopped.

import { messageOf, NightjarError, type Clock, type Log, type Timer } from '#base';
import type { OnvifAccess } from '#catalog';
import { PTZ_DEADMAN_MS, type PtzMove, type PtzPreset } from '#contract';

const LOCK_MS = 3000;
const STOP_ATTEMPTS = 3;

/** A camera that can be moved, as somebody is connected to it. */
export interface MovableCamera {
  move(speed: PtzMove): Promise<void>;
  stop(): Promise<void>;
  presets(): Promise<PtzPreset[]>;
  savePreset(name: string): Promise<PtzPreset>;
  goToPreset(token: string): Promise<void>;
}

/** Somebody who moves cameras: a session, or one of its sockets. */
export interface Operator {
  readonly key: string;
  readonly name: string;
  readonly address: string;
  /** The server stopped the camera that this operator was moving. */
  onStopped?(camera: string, why: 'silence' | 'closed'): void;
}

export interface PtzDeskOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Undefined: the camera cannot be moved. */
  readonly findAccess: (camera: string) => Promise<OnvifAccess | undefined>;
  readonly connect: (access: OnvifAccess) => Promise<MovableCamera>;
  /** Called when an operator takes a camera, and so once per lock. */
  readonly onTaken: (camera: string, operator: Operator) => void;
}

interface Head {
  readonly camera: string;
  connection: Promise<MovableCamera> | undefined;
  holder: Operator | undefined;
  release: Timer | undefined;
  deadman: Timer | undefined;
  moving: boolean;
  /** The command to send when the one under way is through; the latest wins. */
  next: Command | undefined;
  sending: boolean;
}

interface Command {
  readonly speed: PtzMove | 'stop';
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class PtzDesk {
  readonly #o: PtzDeskOptions;
  readonly #heads = new Map<string, Head>();

  constructor(o: PtzDeskOptions) {
    this.#o = o;
  }

  /**
   * Resolves when the camera has answered, or a later command took this one's place. Throws
   * `conflict` with `holder` while somebody else moves the camera.
   */
  async move(camera: string, speed: PtzMove, operator: Operator): Promise<void> {
    const head = this.#take(camera, operator);
    head.moving = true;
    head.deadman?.cancel();
    head.deadman = this.#o.clock.after(PTZ_DEADMAN_MS, () => this.#halt(head, 'silence'));
    await this.#send(head, speed);
  }

  async stop(camera: string, operator: Operator): Promise<void> {
    const head = this.#take(camera, operator);
    head.moving = false;
    head.deadman?.cancel();
    await this.#send(head, 'stop');
  }

  async presets(camera: string): Promise<PtzPreset[]> {
    return this.#with(this.#head(camera), (connection) => connection.presets());
  }

  async savePreset(camera: string, name: string, operator: Operator): Promise<PtzPreset> {
    return this.#with(this.#take(camera, operator), (connection) => connection.savePreset(name));
  }

  async goToPreset(camera: string, token: string, operator: Operator): Promise<void> {
    await this.#with(this.#take(camera, operator), (connection) => connection.goToPreset(token));
  }

  /** The operator is gone: what moves is stopped, what is held is free. */
  leave(operator: Operator): void {
    for (const head of this.#heads.values()) {
      if (head.holder?.key !== operator.key) continue;
      if (head.moving) this.#halt(head, 'closed');
      this.#free(head);
    }
  }

  /** The camera's address or password changed: connects anew at the next command. */
  forget(camera: string): void {
    const head = this.#heads.get(camera);
    if (head !== undefined) head.connection = undefined;
  }

  /** Stops every camera that moves. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#heads.values()].map(async (head) => {
        head.deadman?.cancel();
        head.release?.cancel();
        if (!head.moving) return;
        head.moving = false;
        await this.#send(head, 'stop').catch(() => undefined);
      }),
    );
  }

  #head(camera: string): Head {
    let head = this.#heads.get(camera);
    if (head === undefined) {
      head = {
        camera,
        connection: undefined,
        holder: undefined,
        release: undefined,
        deadman: undefined,
        moving: false,
        next: undefined,
        sending: false,
      };
      this.#heads.set(camera, head);
    }
    return head;
  }

  #take(camera: string, operator: Operator): Head {
    const head = this.#head(camera);
    if (head.holder !== undefined && head.holder.key !== operator.key) {
      const holder = head.holder.name;
      throw new NightjarError('conflict', `${holder} moves this camera now`, { camera, holder });
    }
    if (head.holder === undefined) this.#o.onTaken(camera, operator);
    head.holder = operator;
    head.release?.cancel();
    head.release = this.#o.clock.after(LOCK_MS, () => this.#free(head));
    return head;
  }

  #free(head: Head): void {
    head.release?.cancel();
    head.holder = undefined;
  }

  /** Keeps its word to the camera even when the first attempt fails. */
  #halt(head: Head, why: 'silence' | 'closed'): void {
    head.deadman?.cancel();
    head.moving = false;
    const operator = head.holder;
    void (async () => {
      for (let attempt = 1; attempt <= STOP_ATTEMPTS && !head.moving; attempt++) {
        try {
          await this.#send(head, 'stop');
          operator?.onStopped?.(head.camera, why);
          return;
        } catch (error) {
          const reason = messageOf(error);
          this.#o.log.warn({ camera: head.camera, attempt, reason }, 'a camera was not stopped');
        }
      }
    })();
  }

  #send(head: Head, speed: PtzMove | 'stop'): Promise<void> {
    return new Promise((resolve, reject) => {
      head.next?.resolve();
      head.next = { speed, resolve, reject };
      if (!head.sending) void this.#drain(head);
    });
  }

  async #drain(head: Head): Promise<void> {
    head.sending = true;
    for (let command = head.next; command !== undefined; command = head.next) {
      head.next = undefined;
      const { speed, resolve, reject } = command;
      await this.#with(head, (connection) =>
        speed === 'stop' ? connection.stop() : connection.move(speed),
      ).then(resolve, reject);
    }
    head.sending = false;
  }

  /** Runs `work` on the camera's one connection; a failed one is made anew at the next command. */
  async #with<T>(head: Head, work: (connection: MovableCamera) => Promise<T>): Promise<T> {
    head.connection ??= this.#connect(head.camera);
    const { connection } = head;
    try {
      return await work(await connection);
    } catch (error) {
      if (head.connection === connection) head.connection = undefined;
      throw error;
    }
  }

  async #connect(camera: string): Promise<MovableCamera> {
    const access = await this.#o.findAccess(camera);
    if (access === undefined) {
      throw new NightjarError(
        'failed-precondition',
        'this camera has no ONVIF service to move it',
        {
          camera,
        },
      );
    }
    return this.#o.connect(access);
  }
}
