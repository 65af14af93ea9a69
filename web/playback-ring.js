/** The memory of the player: a ring of PCM16 in which every sample has a place that only grows. */

/** Holds the newest samples; who writes sees to it that nothing is overwritten that is still wanted. */
export class Ring {
  /** @param {number} length how many samples it holds */
  constructor(length) {
    this.stored = new Int16Array(length);
  }

  /** How many samples it holds. */
  get length() {
    return this.stored.length;
  }

  /** Stores samples from a place on. */
  write(place, samples) {
    const at = place % this.length;
    const fits = Math.min(samples.length, this.length - at);
    this.stored.set(samples.subarray(0, fits), at);
    this.stored.set(samples.subarray(fits), 0);
  }

  /** Whether the sample at a whole place is not silence. */
  sounds(place) {
    return this.stored[place % this.length] !== 0;
  }

  /** The wave at a place with a fraction: a cubic through the four samples around it, silent outside start to end. */
  wave(place, start, end) {
    const whole = Math.floor(place);
    const t = place - whole;
    const b = this.sample(whole, start, end);
    if (t === 0) return b;
    const a = this.sample(whole - 1, start, end);
    const c = this.sample(whole + 1, start, end);
    const d = this.sample(whole + 2, start, end);
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
  }

  sample(place, start, end) {
    return place < start || place >= end ? 0 : this.stored[place % this.length] / 32768;
  }
}
