// The port to what a camera itself tells of movement; whoever opens the recorder brings the speaker.

/** How to reach the camera's own events. */
export interface OnvifAccess {
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** In the states but `ok`, that no movement is told of means nothing. */
export type AlarmState = 'starting' | 'ok' | 'failed';

export interface AlarmListener {
  /** Something moves, or nothing any more; only when it changes. */
  onMotion(active: boolean): void;
  /** `message` is a sentence for people, about what fails. */
  onState(state: AlarmState, message: string | undefined): void;
}

export interface CameraAlarms {
  /** Alarms that were closed because their end never came. */
  readonly endlessAlarms: number;
  /** No callback comes after it was called. */
  close(): Promise<void>;
}

/** Begins at once and never gives up; it never throws. */
export type OpenAlarms = (
  camera: { readonly id: string; readonly onvif: OnvifAccess },
  listener: AlarmListener,
) => CameraAlarms;
