// How far apart key frames are: the last time, and at the least and most of about the last minute.

export class GroupLengths {
  /** Of the last whole group; 0 before there is one. */
  lastTicks = 0;
  #shortest = Infinity;
  #longest = 0;
  #formerShortest = Infinity;
  #formerLongest = 0;

  add(ticks: number): void {
    this.lastTicks = ticks;
    if (ticks < this.#shortest) this.#shortest = ticks;
    if (ticks > this.#longest) this.#longest = ticks;
  }

  /** Called once a minute: what is older than the last call is forgotten. */
  turn(): void {
    this.#formerShortest = this.#shortest;
    this.#formerLongest = this.#longest;
    this.#shortest = Infinity;
    this.#longest = 0;
  }

  /** Of the last one to two minutes; without a group in them, the last one there was. */
  get shortestTicks(): number {
    const shortest = Math.min(this.#shortest, this.#formerShortest);
    return shortest === Infinity ? this.lastTicks : shortest;
  }

  get longestTicks(): number {
    return Math.max(this.#longest, this.#formerLongest) || this.lastTicks;
  }
}
