// Who takes the packets of a session.

/** Bytes are valid during the call only. */
export interface MediaHandler {
  onRtp(bytes: Uint8Array, start: number, end: number): void;
  /** A whole datagram of RTP is here; `onRtp` may follow later, in the order of its sending. */
  arrived?(packet: Uint8Array): void;
  onRtcp(bytes: Uint8Array, start: number, end: number): void;
}
