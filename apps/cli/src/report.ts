// What every command gives back, and what it says on the way.

/** What a command found; `ok` decides the exit status. */
export interface Report {
  readonly ok: boolean;
  /** For people, line by line. */
  readonly lines: readonly string[];
  /** For scripts. */
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface Step {
  readonly done: number;
  /** Left out where nobody knows. */
  readonly total?: number;
  readonly unit: string;
  readonly bytes?: number;
}

export type Progress = (step: Step) => void;
