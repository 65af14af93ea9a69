/**
 * The learner's microphone: always open, so it sends silence where nothing is said.
 *
 * Frames go by an absolute schedule. A timer that is armed again after each callback loses
 * 2 to 5 % on an idle machine and far more on a busy one; here a late tick sends all that is
 * due, so that the rate is right whenever there is a processor at all.
 */

export const RATE = 16000;
/** The length of a frame: half as many as a page sends, with the same bytes. */
export const FRAME_MS = 40;

const FRAME_SAMPLES = (RATE * FRAME_MS) / 1000;
const FRAME_BYTES = FRAME_SAMPLES * 2;
const HEADER_BYTES = 12;
const MOST_AT_ONCE = 10; // frames a tick; the rest of a long delay is caught up in the next ones
const MOST_BUFFERED = 64 * 1024; // bytes: two seconds that the link did not take
const LOUD = 500; // of 32,768: quieter samples at a recording's end are not speech

const MIC = 0x11; // version 1, microphone
const DISCONTINUITY = 1;

/**
 * Reads a WAV file of 16 kHz mono PCM16. Call it where a script is loaded, once.
 *
 * @param {ArrayBuffer} file from open(path, "b")
 * @returns {{pcm: Uint8Array, speechBytes: number}} `speechBytes` is where the last sound ends
 */
export function recording(file) {
  const view = new DataView(file);
  const tag = (at) => String.fromCharCode(...new Uint8Array(file, at, 4));
  if (tag(0) !== "RIFF" || tag(8) !== "WAVE") throw new Error("the recording is not a WAV file");
  for (let at = 12; at + 8 <= file.byteLength;) {
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (tag(at) === "fmt ") {
      const [encoding, channels] = [view.getUint16(body, true), view.getUint16(body + 2, true)];
      const [rate, bits] = [view.getUint32(body + 4, true), view.getUint16(body + 14, true)];
      if (encoding !== 1 || channels !== 1 || rate !== RATE || bits !== 16) {
        throw new Error(`the recording is not mono PCM16 at ${RATE} Hz`);
      }
    }
    if (tag(at) === "data") {
      const bytes = Math.min(size, file.byteLength - body) & ~1;
      let end = bytes;
      while (end > 0 && Math.abs(view.getInt16(body + end - 2, true)) < LOUD) end -= 2;
      return { pcm: new Uint8Array(file, body, bytes), speechBytes: end };
    }
    at = body + size + (size % 2);
  }
  throw new Error("the recording has no audio");
}

/** Sends one capture stream over one socket. */
export class Microphone {
  /** @param {{send: function(ArrayBuffer): void, bufferedAmount: number}} socket that is open */
  constructor(socket, now) {
    this.socket = socket;
    this.start = now;
    this.seq = 0;
    this.due = 0; // frames that the schedule has asked for, sent or dropped
    this.dropped = 0;
    this.flags = 0;
    this.speech = null; // {recording, at}: what is being said
    /** When the last sound of the last recording was sent; 0 while one is being said. */
    this.spokenAt = 0;
    this.header = new Uint8Array(HEADER_BYTES);
    this.head = new DataView(this.header.buffer);
    this.head.setUint8(0, MIC);
    this.head.setUint16(2, 1); // the first capture epoch
  }

  /** Begins to say a recording with the next frame. */
  say(spoken) {
    this.speech = { recording: spoken, at: 0 };
    this.spokenAt = 0;
  }

  /** Sends what is due now. */
  tick(now) {
    const due = Math.floor((now - this.start) / FRAME_MS) + 1;
    for (let n = 0; this.due < due && n < MOST_AT_ONCE; n++) this.next(now);
  }

  next(now) {
    const pos = this.due++ * FRAME_SAMPLES;
    // A new buffer each time: k6 sends without copying, and later.
    const frame = new Uint8Array(HEADER_BYTES + FRAME_BYTES);
    this.fill(frame, now);
    if (this.socket.bufferedAmount > MOST_BUFFERED) { // fresh sound is worth more than all of it
      this.dropped++;
      this.flags = DISCONTINUITY;
      return;
    }
    this.head.setUint8(1, this.flags);
    this.head.setUint32(4, this.seq++);
    this.head.setUint32(8, pos);
    frame.set(this.header);
    this.socket.send(frame.buffer);
    this.flags = 0;
  }

  /** Puts the next piece of what is said into the frame; the rest stays silence. */
  fill(frame, now) {
    if (!this.speech) return;
    const { recording: { pcm, speechBytes } } = this.speech;
    const piece = pcm.subarray(this.speech.at, this.speech.at + FRAME_BYTES);
    frame.set(piece, HEADER_BYTES);
    this.speech.at += piece.length;
    if (this.spokenAt === 0 && this.speech.at >= speechBytes) this.spokenAt = now;
    if (this.speech.at >= pcm.length) this.speech = null;
  }
}
