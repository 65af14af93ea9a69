/** How loud the tutor is, for the picture: the sound's power over a twentieth of a second at a time. */

const LEVEL_SECONDS = 0.05;

/** Collects samples as they are handed to the device. */
export class Level {
  /** @param {number} rate of the device, in hertz */
  constructor(rate) {
    this.length = LEVEL_SECONDS * rate;
    this.passed = 0;
    this.energy = 0;
  }

  /** Takes one sample. */
  add(value) {
    this.energy += value * value;
  }

  /** Says that so many samples of the device have passed; returns the loudness when it is time to tell, else null. */
  pass(samples) {
    this.passed += samples;
    if (this.passed < this.length) return null;
    const rms = Math.sqrt(this.energy / this.passed);
    this.passed = 0;
    this.energy = 0;
    return rms;
  }
}
