// Who takes the packets of a session.

/** Bytes are valid during the call only. */
export interface MediaHandler {
  onRtp(bytes: Uint8Array, start: number, end: number): void;
  onRtcp(bytes: Uint8Array, start: number, end: number): void;
}
