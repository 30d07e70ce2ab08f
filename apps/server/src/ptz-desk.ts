// Moves cameras for operators: one operator at a time per camera, over one kept connection, and a
// camera whose operator leaves is stopped.

import { messageOf, NightjarError, type Clock, type Log, type Timer } from '#base';
import type { OnvifAccess } from '#catalog';
import { PTZ_DEADMAN_MS, type PtzMove, type PtzPreset } from '#contract';
import { PtzDriver, type OnvifCamera, type PtzOutcome } from '#onvif';
import { errorOfOthers } from './problem.js';

const LOCK_MS = 3000;

/** A camera that can be moved, as somebody is connected to it. */
export type MovableCamera = Pick<
  OnvifCamera,
  'ptz' | 'presets' | 'savePreset' | 'gotoPreset' | 'close'
>;

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

interface Connection {
  readonly camera: MovableCamera;
  readonly driver: PtzDriver;
}

interface Head {
  readonly camera: string;
  connection: Promise<Connection> | undefined;
  holder: Operator | undefined;
  release: Timer | undefined;
  moving: boolean;
}

export class PtzDesk {
  readonly #o: PtzDeskOptions;
  readonly #heads = new Map<string, Head>();

  constructor(o: PtzDeskOptions) {
    this.#o = o;
  }

  /** Cameras that are held, moving or connected to. */
  get size(): number {
    return this.#heads.size;
  }

  /**
   * Resolves when the camera has answered, or a later command took this one's place. Throws
   * `conflict` with `holder` while somebody else moves the camera.
   */
  async move(camera: string, speed: PtzMove, operator: Operator): Promise<PtzOutcome> {
    const head = this.#take(camera, operator);
    head.moving = true;
    return this.#with(head, ({ driver }) => driver.move(speed));
  }

  async stop(camera: string, operator: Operator): Promise<PtzOutcome> {
    const head = this.#take(camera, operator);
    head.moving = false;
    return this.#with(head, ({ driver }) => driver.stop());
  }

  presets(camera: string): Promise<PtzPreset[]> {
    return this.#with(this.#head(camera), (connection) => connection.camera.presets());
  }

  async savePreset(camera: string, name: string, operator: Operator): Promise<PtzPreset> {
    const head = this.#take(camera, operator);
    return this.#with(head, (connection) => connection.camera.savePreset(name));
  }

  async goToPreset(camera: string, token: string, operator: Operator): Promise<void> {
    const head = this.#take(camera, operator);
    return this.#with(head, (connection) => connection.camera.gotoPreset(token));
  }

  /** The operator is gone: what moves is stopped, what is held is free. */
  leave(operator: Operator): void {
    for (const head of this.#heads.values()) {
      if (head.holder?.key !== operator.key) continue;
      this.#free(head);
      if (!head.moving) continue;
      head.moving = false;
      this.#with(head, ({ driver }) => driver.stop()).then(
        () => operator.onStopped?.(head.camera, 'closed'),
        (error: unknown) => this.#complain(head, error),
      );
    }
  }

  /** The camera's address or password changed: connects anew at the next command. */
  forget(camera: string): void {
    const head = this.#heads.get(camera);
    if (head !== undefined) void this.#drop(head);
  }

  /** Stops every camera that moves. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#heads.values()].map((head) => {
        head.release?.cancel();
        return this.#drop(head);
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
        moving: false,
      };
      this.#heads.set(camera, head);
    }
    return head;
  }

  #take(camera: string, operator: Operator): Head {
    const head = this.#head(camera);
    // One person at a stick may also save a preset, which comes by another way.
    if (head.holder !== undefined && head.holder.name !== operator.name) {
      const holder = head.holder.name;
      throw new NightjarError('conflict', `${holder} moves this camera now`, { camera, holder });
    }
    if (head.holder === undefined) this.#o.onTaken(camera, operator);
    // The way that was used last is told of stops, and stops the camera by closing.
    head.holder = operator;
    head.release?.cancel();
    head.release = this.#o.clock.after(LOCK_MS, () => this.#free(head));
    return head;
  }

  #free(head: Head): void {
    head.release?.cancel();
    head.holder = undefined;
    this.#tidy(head);
  }

  /** Cameras come and go, and people ask for some that never were. */
  #tidy(head: Head): void {
    if (head.holder === undefined && head.connection === undefined && !head.moving) {
      this.#heads.delete(head.camera);
    }
  }

  /** Runs `work` on the camera's one connection; a failed one is made anew at the next command. */
  async #with<T>(head: Head, work: (connection: Connection) => Promise<T>): Promise<T> {
    head.connection ??= this.#connect(head);
    const { connection } = head;
    try {
      return await work(await connection);
    } catch (error) {
      if (head.connection === connection) void this.#drop(head);
      throw errorOfOthers(error);
    }
  }

  async #connect(head: Head): Promise<Connection> {
    const access = await this.#o.findAccess(head.camera);
    if (access === undefined) {
      throw new NightjarError('failed-precondition', 'this camera has no ONVIF service to move it');
    }
    const camera = await this.#o.connect(access);
    const driver = new PtzDriver({
      motors: camera.ptz,
      clock: this.#o.clock,
      silenceMs: PTZ_DEADMAN_MS,
      onSilence: (error) => {
        head.moving = false;
        if (error === undefined) head.holder?.onStopped?.(head.camera, 'silence');
        else this.#complain(head, error);
      },
    });
    return { camera, driver };
  }

  /** Whatever the connection was moving is stopped before it goes. */
  async #drop(head: Head): Promise<void> {
    const { connection } = head;
    head.connection = undefined;
    head.moving = false;
    this.#tidy(head);
    try {
      const made = await connection;
      await made?.driver.close();
      made?.camera.close();
    } catch {
      // It never came to be: its caller has been told.
    }
  }

  #complain(head: Head, error: unknown): void {
    this.#o.log.error(
      { camera: head.camera, reason: messageOf(error) },
      'a camera was not stopped',
    );
  }
}
