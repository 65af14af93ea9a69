/**
 * The microphone's lane on the voice socket: 20 ms blocks become numbered 40 ms frames.
 * What was sent is kept for 15 s, or until the server says that it has consumed it, so
 * that a later connection could send it again. When the link is too slow, fresh sound is
 * worth more than complete sound: new frames are left out and the next one says so.
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
  /** @param {WebSocket} socket */
  constructor(socket) {
    this.socket = socket;
    this.stream = 1;
    this.sent = 0;
    this.dropped = 0;
    this.kept = []; // {stream, seq, samples, frame}, oldest first
    this.keptSamples = 0;
    this.restart(1);
  }

  /** Begins a new capture epoch: the microphone was opened again. */
  nextEpoch() {
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

  /** Takes one block; sends when a frame is full. */
  push(block, muted) {
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
        this.send(0, this.pending, FRAME);
        this.filled = 0;
      }
    }
  }

  /** Sends what has not filled a frame yet. */
  flush() {
    if (this.filled === 0) return;
    this.send(0, this.pending.subarray(0, this.filled), this.filled);
    this.filled = 0;
  }

  /** How far the stream has come, in milliseconds. */
  get positionMs() {
    return ((this.pos + this.filled + this.muted) * 1000) / RATE;
  }

  pushSilence(samples) {
    this.flush();
    this.muted += samples;
    if (this.muted < SILENCE_EVERY) return;
    this.send(FLAG.silence, NOTHING, this.muted);
    this.muted = 0;
  }

  send(flags, audio, samples) {
    const pos = this.pos;
    this.pos += samples;
    if (this.socket.readyState !== WebSocket.OPEN) return;
    if (this.socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      this.dropped++;
      this.discontinuity = true;
      return;
    }
    const marked = this.discontinuity ? flags | FLAG.discontinuity : flags;
    this.discontinuity = false;
    const frame = encodeFrame({ kind: MICROPHONE, flags: marked, stream: this.stream, seq: this.seq, pos, audio });
    this.socket.send(frame);
    this.sent++;
    this.keep({ stream: this.stream, seq: this.seq++, samples, frame });
  }

  keep(entry) {
    this.kept.push(entry);
    this.keptSamples += entry.samples;
    while (this.keptSamples > KEEP) this.keptSamples -= this.kept.shift().samples;
  }

  /** Forgets what the server has consumed: everything up to this frame. */
  acknowledge(stream, seq) {
    const isOld = (entry) => entry.stream < stream || (entry.stream === stream && entry.seq <= seq);
    while (this.kept.length > 0 && isOld(this.kept[0])) this.keptSamples -= this.kept.shift().samples;
  }
}
