// What every command gives back.

/** What a command found; `ok` decides the exit status. */
export interface Report {
  readonly ok: boolean;
  /** For people, line by line. */
  readonly lines: readonly string[];
  /** For scripts. */
  readonly facts: Readonly<Record<string, unknown>>;
}
