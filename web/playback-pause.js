/**
 * A pause of the player that loses nothing. The read position stays at the sample at which
 * the pause came; what follows it fades out as a tail beside the ring. What is resumed goes
 * on from that very position and fades in over the same samples with the complementary gain:
 * the two gains of each sample add up to one.
 */

const FADE_SECONDS = 0.008;
const LONGEST_SECONDS = 2; // then whoever paused has forgotten us, or the resume was lost

/** Keeps at most one pause; streams are numbered from 1. */
export class Pause {
  /** @param {number} rate of the device, in hertz */
  constructor(rate) {
    this.fade = Math.round(FADE_SECONDS * rate);
    this.longest = LONGEST_SECONDS * rate;
    this.stream = 0; // held back; 0 for none
    this.left = 0; // samples of the device until it goes on by itself
    this.tail = null; // {segment, at, left}: what sounded when the pause came
    this.rise = 0; // samples of the device until what was resumed has its full volume
    this.rising = 0; // the stream that was resumed last
    this.next = 0; // the stream that is to pause when it has; 0 for none
  }

  /** Whether this stream has to wait. */
  holds(stream) {
    return this.stream !== 0 && this.stream <= stream;
  }

  /**
   * Holds a stream back until {@link end}, or for two seconds. A pause during a resume's fade waits
   * for the fade's end: see {@link due}.
   *
   * @param {object | null} segment what sounds of the stream, if it does
   * @param {number} read the place that sounds next
   * @returns {boolean} whether it holds now
   */
  begin(stream, segment, read) {
    if (this.rise > 0) {
      this.next = stream;
      return false;
    }
    if (this.stream !== stream && segment) this.tail = { segment, at: read, left: this.fade };
    this.stream = stream;
    this.left = this.longest;
    return true;
  }

  /** The stream whose pause has waited for a fade that is over now; 0 for none. */
  due() {
    if (this.rise > 0) return 0;
    const stream = this.next;
    this.next = 0;
    return stream;
  }

  /** Ends the pause; `sounded` says that there is something to fade in. */
  end(sounded) {
    this.rising = this.stream;
    this.stream = 0;
    if (sounded) this.rise = this.fade;
  }

  /** Calls off a pause that waits for its turn. */
  callOff(stream) {
    if (this.next === stream) this.next = 0;
  }

  /** Whether the pause has lasted too long, now that as many samples of the device have passed. */
  outlasted(samples) {
    if (this.stream === 0) return false;
    this.left -= samples;
    return this.left <= 0;
  }

  /** The gain of the next sample that is played. */
  gain() {
    return this.rise > 0 ? 1 - this.rise-- / this.fade : 1;
  }

  /** Adds the tail's next samples to the device's block. */
  playTail(ring, output, deviceRate) {
    const { tail } = this;
    if (!tail) return;
    const { segment } = tail;
    const step = segment.about.rate / deviceRate;
    for (let i = 0; i < output.length && tail.left > 0; i++) {
      output[i] += ring.wave(tail.at, segment.start, segment.end) * (tail.left-- / this.fade);
      tail.at += step;
    }
    if (tail.left === 0) this.tail = null;
  }

  /** Forgets what is held back, or fades in, of streams that are over: up to this one. */
  forget(stream) {
    if (this.stream <= stream) this.stream = 0;
    if (this.next <= stream) this.next = 0;
    if (this.rising <= stream) this.rise = 0;
  }
}
