// The frames of a record or group as columns, so that no frame is an object of its own.

/** In decoding order. Grows by doubling; never shrinks. */
export class FrameTable {
  /** In front of every unit: four bytes of start code in video, nothing in sound. */
  unitPrefixBytes: number;
  #count = 0;
  #nalCount = 0;
  #durations90k = new Uint32Array(32);
  #ctsOffsets90k = new Int32Array(32);
  #keys = new Uint8Array(32);
  #firstNals = new Uint32Array(33);
  #nalSizes = new Uint32Array(64);
  #payloadBytes = 0;
  #duration90k = 0;

  constructor(unitPrefixBytes = 4) {
    this.unitPrefixBytes = unitPrefixBytes;
  }

  /** Frames. */
  get count(): number {
    return this.#count;
  }

  get nalCount(): number {
    return this.#nalCount;
  }

  /** The sum over all frames. */
  get duration90k(): number {
    return this.#duration90k;
  }

  /** All NAL units with their four-byte start codes. */
  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** Notes a NAL unit of the frame that `endFrame` will close; size without its start code. */
  addNal(sizeBytes: number): void {
    if (this.#nalCount === this.#nalSizes.length) this.#nalSizes = doubled(this.#nalSizes);
    this.#nalSizes[this.#nalCount++] = sizeBytes;
    this.#payloadBytes += sizeBytes + this.unitPrefixBytes;
  }

  endFrame(key: boolean, duration90k: number, ctsOffset90k: number): void {
    if (this.#count === this.#durations90k.length) {
      this.#durations90k = doubled(this.#durations90k);
      const offsets = new Int32Array(this.#ctsOffsets90k.length * 2);
      offsets.set(this.#ctsOffsets90k);
      this.#ctsOffsets90k = offsets;
      const keys = new Uint8Array(this.#keys.length * 2);
      keys.set(this.#keys);
      this.#keys = keys;
      const firsts = new Uint32Array(this.#durations90k.length + 1);
      firsts.set(this.#firstNals);
      this.#firstNals = firsts;
    }
    this.#keys[this.#count] = key ? 1 : 0;
    this.#durations90k[this.#count] = duration90k;
    this.#ctsOffsets90k[this.#count] = ctsOffset90k;
    this.#duration90k += duration90k;
    this.#count += 1;
    this.#firstNals[this.#count] = this.#nalCount;
  }

  /** A frame's duration is known when the next one comes: this corrects the last one's. */
  setLastDuration(duration90k: number): void {
    const last = this.#count - 1;
    this.#duration90k += duration90k - (this.#durations90k[last] ?? 0);
    this.#durations90k[last] = duration90k;
  }

  isKey(frame: number): boolean {
    return this.#keys[frame] === 1;
  }

  durationOf(frame: number): number {
    return this.#durations90k[frame] ?? 0;
  }

  ctsOffsetOf(frame: number): number {
    return this.#ctsOffsets90k[frame] ?? 0;
  }

  /** The NAL units of a frame are those from `firstNalOf(frame)` up to `firstNalOf(frame + 1)`. */
  firstNalOf(frame: number): number {
    return this.#firstNals[frame] ?? 0;
  }

  nalSizeOf(nal: number): number {
    return this.#nalSizes[nal] ?? 0;
  }

  /** Bytes of a frame, start codes included. */
  sizeOf(frame: number): number {
    let bytes = 0;
    const end = this.firstNalOf(frame + 1);
    for (let nal = this.firstNalOf(frame); nal < end; nal++)
      bytes += this.nalSizeOf(nal) + this.unitPrefixBytes;
    return bytes;
  }

  /** Forgets NAL units noted since the last `endFrame`. */
  discardOpenFrame(): void {
    const first = this.firstNalOf(this.#count);
    for (let nal = first; nal < this.#nalCount; nal++)
      this.#payloadBytes -= this.nalSizeOf(nal) + this.unitPrefixBytes;
    this.#nalCount = first;
  }

  clear(): void {
    this.#count = 0;
    this.#nalCount = 0;
    this.#payloadBytes = 0;
    this.#duration90k = 0;
  }
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}
