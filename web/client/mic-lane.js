/**
 * The microphone's lane: 20 ms blocks become numbered 40 ms frames, for as long as the
 * conversation lasts, through all of its sockets. What was taken is kept for 15 s, or until
 * the server needs it no more; a socket that comes after a lost one is sent the rest again.
 * When a link that is there is too slow, fresh sound is worth more than complete sound: new
 * frames are left out and the next one says so.
 */

import { FLAG, MICROPHONE, encodeFrame } from "./frames.js";

const RATE = 16000;
const FRAME = (RATE * 40) / 1000;
const KEEP = 15 * RATE;
const MAX_BUFFERED_BYTES = 64 * 1024;
const SILENCE_EVERY = RATE / 5; // while muted: five empty frames a second

const NOTHING = new Int16Array(0);

/** Numbers, sends and remembers microphone frames. */
export class MicLane {
  constructor() {
    this.socket = null;
    this.allowance = 0; // bytes that may wait in the socket above the usual: what was sent again
    /** How many frames were taken, left out for a slow link, and sent again. */
    this.taken = 0;
    this.dropped = 0;
    this.resent = 0;
    this.kept = []; // {stream, seq, samples, frame}, oldest first
    this.keptSamples = 0;
    this.recording = false;
    this.restart(0);
  }

  /** Begins a session, which knows nothing of what was taken before. */
  begin() {
    this.kept = [];
    this.keptSamples = 0;
    this.recording = true;
    this.restart(this.stream + 1);
  }

  /** Begins a new capture epoch: the microphone was opened again. */
  nextEpoch() {
    if (!this.recording) return;
    this.restart(this.stream + 1);
    this.discontinuity = true;
  }

  restart(stream) {
    this.stream = stream;
    this.seq = 0;
    this.pos = 0;
    this.pending = new Int16Array(FRAME);
    this.filled = 0;
    this.muted = 0;
    this.discontinuity = false;
  }

  /** The place of the next frame, as `session.resume` names it. */
  get next() {
    return { stream: this.stream, next_seq: this.seq };
  }

  /** How far the stream has come, in milliseconds; 0 before the first session. */
  get positionMs() {
    return ((this.pos + this.filled + this.muted) * 1000) / RATE;
  }

  /**
   * Sends by this socket from now on, and first what its server has not got of what is kept.
   *
   * @param {WebSocket} socket
   * @param {{stream: number, next_seq: number}} wanted the first frame that the server has not got
   */
  attach(socket, { stream, next_seq: next }) {
    this.socket = socket;
    const again = this.kept.filter((entry) => entry.stream > stream || (entry.stream === stream && entry.seq >= next));
    again.forEach((entry, i) => {
      const flags = new DataView(entry.frame);
      const gap = i === 0 && entry.stream === stream && entry.seq > next ? FLAG.discontinuity : 0;
      flags.setUint8(1, flags.getUint8(1) | FLAG.retransmission | gap);
      socket.send(entry.frame);
    });
    this.resent += again.length;
    this.allowance = again.reduce((sum, { frame }) => sum + frame.byteLength, 0);
  }

  /** There is no socket for now: what is taken is kept. */
  detach() {
    this.socket = null;
  }

  /** Takes one block of PCM16 at 16 kHz; a frame is sent when it is full. */
  push(block, muted) {
    if (!this.recording) return;
    if (muted) {
      this.pushSilence(block.length);
      return;
    }
    this.pos += this.muted; // silence that has not filled a frame took its time
    this.muted = 0;
    for (let from = 0; from < block.length;) {
      const part = block.subarray(from, from + FRAME - this.filled);
      this.pending.set(part, this.filled);
      this.filled += part.length;
      from += part.length;
      if (this.filled === FRAME) {
        this.take(0, this.pending, FRAME);
        this.filled = 0;
      }
    }
  }

  /** Sends what has not filled a frame yet. */
  flush() {
    if (this.filled === 0) return;
    this.take(0, this.pending.subarray(0, this.filled), this.filled);
    this.filled = 0;
  }

  pushSilence(samples) {
    this.flush();
    this.muted += samples;
    if (this.muted < SILENCE_EVERY) return;
    this.take(FLAG.silence, NOTHING, this.muted);
    this.muted = 0;
  }

  take(flags, audio, samples) {
    const pos = this.pos;
    this.pos += samples;
    const waiting = this.socket?.bufferedAmount ?? 0;
    if (waiting <= MAX_BUFFERED_BYTES) this.allowance = 0;
    if (waiting > MAX_BUFFERED_BYTES + this.allowance) {
      this.dropped++;
      this.discontinuity = true;
      return;
    }
    const marked = this.discontinuity ? flags | FLAG.discontinuity : flags;
    this.discontinuity = false;
    const frame = encodeFrame({ kind: MICROPHONE, flags: marked, stream: this.stream, seq: this.seq, pos, audio });
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(frame);
    this.taken++;
    this.keep({ stream: this.stream, seq: this.seq++, samples, frame });
  }

  keep(entry) {
    this.kept.push(entry);
    this.keptSamples += entry.samples;
    while (this.keptSamples > KEEP) this.keptSamples -= this.kept.shift().samples;
  }

  /** Forgets what the server needs no more: everything up to this frame. */
  acknowledge(stream, seq) {
    const isOld = (entry) => entry.stream < stream || (entry.stream === stream && entry.seq <= seq);
    while (this.kept.length > 0 && isOld(this.kept[0])) this.keptSamples -= this.kept.shift().samples;
  }
}
