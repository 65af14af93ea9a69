/**
 * The tutor's side of the audio thread: a ring of PCM16 at the tutor's rate, played at
 * the device's rate, that can fall silent at once and always knows what was heard.
 *
 * Each response is a segment of the ring. It starts to sound when enough of it is
 * buffered; when it runs dry before its end, that is an underrun, and more is buffered
 * from then on. Every number that is reported counts samples really handed to the device.
 *
 * In:  {type: "stream", stream, rate}            a response is announced
 *      {type: "audio", stream, samples}          Int16Array, transferred
 *      {type: "end", stream}                     no more audio will come
 *      {type: "cut", stream, at}                 the stream ends at this sample, or where it is when that was played
 *      {type: "mark", stream, name, at}          report when this sample has been played
 *      {type: "flush", stream}                   silence now; forget this stream and older ones
 *      {type: "pause", stream}                   stop where it is, until a resume or for two seconds
 *      {type: "resume", stream}                  go on from the very sample
 *      {type: "reset"}                           a new connection: streams count from 1 again
 * Out: started, position, mark, stopped, cleared, each with `stream`, `played` and `buffered` in samples
 *      of the tutor's rate; level with `rms`. All carry `at` (the context's time) and `totals`.
 */

import { Level } from "./playback-level.js";
import { Pause } from "./playback-pause.js";
import { Ring } from "./playback-ring.js";

const RING_SECONDS = 60;
const MAX_RATE = 24000;
const FADE_SECONDS = 0.005;
const POSITION_SECONDS = 0.25;
const PREBUFFER_MS = { least: 120, most: 300, step: 20, decay: 10 };

class PlaybackProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this.ring = new Ring(RING_SECONDS * MAX_RATE);
    this.write = 0; // absolute: where the next sample is stored
    this.reset();
    this.prebufferMs = PREBUFFER_MS.least;
    this.sincePosition = 0;
    this.level = new Level(sampleRate);
    this.totals = { played: 0, nonZero: 0, underruns: 0, flushes: 0, late: 0, overflow: 0, pauses: 0 };
    this.port.onmessage = ({ data }) => this[data.type](data);
  }

  // Messages.

  stream({ stream, rate }) {
    this.announced.set(stream, { rate: rate || MAX_RATE, marks: [], ended: false });
  }

  audio({ stream, samples }) {
    const last = this.segments.at(-1);
    const about = this.announced.get(stream);
    if (!about || about.cut || stream <= this.flushedUpTo || (last && stream < last.stream)) {
      this.totals.late++;
      return;
    }
    if (samples.length === 0) return;
    if (this.write + samples.length - Math.floor(this.read) > this.ring.length) {
      this.totals.overflow++; // the server is far ahead of its own limit; what is nearer is worth more
      return;
    }
    let segment = last;
    if (!segment || segment.stream !== stream) {
      segment = { stream, about, start: this.write, end: this.write, started: false, sounding: false, ranDry: false };
      if (this.segments.length === 0) this.read = this.write;
      this.segments.push(segment);
    }
    this.ring.write(this.write, samples);
    this.write += samples.length;
    segment.end = this.write;
  }

  end({ stream }) {
    const about = this.announced.get(stream);
    if (!about || about.ended) return;
    about.ended = true;
    if (stream > this.flushedUpTo && !this.segments.some((segment) => segment.stream === stream)) {
      this.announced.delete(stream);
      this.report("stopped", { stream, played: 0, buffered: 0 });
    }
  }

  cut({ stream, at }) {
    const about = this.announced.get(stream);
    const segment = this.segments.at(-1);
    if (segment?.stream === stream) { // it is the newest: nothing lies behind it
      const least = segment.sounding ? Math.ceil(this.read) : segment.start;
      this.write = segment.end = Math.min(segment.end, Math.max(segment.start + at, least));
    }
    if (about) Object.assign(about, { cut: true, marks: about.marks.filter((mark) => mark.at <= at) });
    this.resume({ stream });
    this.end({ stream });
  }

  mark({ stream, name, at }) {
    this.announced.get(stream)?.marks.push({ name, at });
  }

  flush({ stream }) {
    this.flushedUpTo = Math.max(this.flushedUpTo, stream);
    this.totals.flushes++;
    const current = this.segments[0];
    if (current?.sounding && current.stream <= stream && !this.pausing.holds(current.stream)) {
      this.fade = { stream, length: FADE_SECONDS * sampleRate, left: FADE_SECONDS * sampleRate };
    } else {
      this.drop(stream);
    }
  }

  pause({ stream }) {
    if (!this.announced.has(stream) || this.fade) return; // it has ended, or is about to
    const segment = this.segments.find((known) => known.stream === stream);
    const again = this.pausing.stream === stream;
    if (!this.pausing.begin(stream, segment?.sounding ? segment : null, this.read)) return;
    if (!again) this.totals.pauses++;
    this.report("position", segment ? this.place(segment) : { stream, played: 0, buffered: 0 });
  }

  resume({ stream }) {
    this.pausing.callOff(stream);
    if (this.pausing.stream === stream) this.goOn();
  }

  goOn() {
    const current = this.segments[0];
    const sounded = Boolean(current?.sounding) && current.stream === this.pausing.stream;
    this.pausing.end(sounded);
    if (sounded) this.report("position", this.place(current));
  }

  reset() {
    this.segments = []; // oldest first, back to back in the ring
    this.announced = new Map(); // stream → {rate, marks, ended}
    this.read = this.write; // absolute, with a fraction: what sounds next
    this.flushedUpTo = 0;
    this.lastStopped = { stream: 0, played: 0 };
    this.fade = null; // {stream, left} while a flush fades out
    this.pausing = new Pause(sampleRate);
  }

  // Sound.

  process(_inputs, outputs) {
    const output = outputs[0][0];
    const due = this.pausing.due();
    if (due) this.pause({ stream: due });
    let filled = 0;
    while (filled < output.length) {
      const segment = this.ready(filled);
      if (!segment) break;
      filled = this.play(segment, output, filled);
    }
    this.pausing.playTail(this.ring, output, sampleRate);
    this.tick(output);
    return true;
  }

  /** The segment that may sound at this sample of the block, or null. */
  ready(index) {
    for (;;) {
      const segment = this.segments[0];
      if (!segment) return null;
      const left = segment.end - this.read;
      const complete = segment.about.ended || this.segments.length > 1;
      if (left <= 0 && complete) {
        this.finish(segment);
        continue;
      }
      if (this.pausing.holds(segment.stream)) return null;
      if (left <= 0 && segment.sounding) this.underrun(segment);
      if (segment.sounding) return segment;
      if (!complete && left < (this.prebufferMs * segment.about.rate) / 1000) return null;
      segment.sounding = true;
      if (!segment.started) {
        segment.started = true;
        this.sincePosition = 0;
        this.report("started", { ...this.place(segment), at: currentTime + index / sampleRate });
      }
      return segment;
    }
  }

  /** Renders the segment until it runs out or the block is full; returns where it stopped. */
  play(segment, output, from) {
    const step = segment.about.rate / sampleRate;
    let index = from;
    while (index < output.length && this.read < segment.end) {
      let gain = 1;
      if (this.fade) {
        gain = this.fade.left / this.fade.length;
        if (this.fade.left-- <= 0) {
          this.endFade();
          return index;
        }
      }
      const value = this.ring.wave(this.read, segment.start, segment.end) * gain * this.pausing.gain();
      output[index++] = value;
      this.level.add(value);
      this.advance(segment, step);
    }
    return index;
  }

  advance(segment, step) {
    const before = Math.floor(this.read);
    this.read = Math.min(this.read + step, segment.end);
    for (let i = before; i < Math.floor(this.read); i++) {
      this.totals.played++;
      if (this.ring.sounds(i)) this.totals.nonZero++;
    }
  }

  underrun(segment) {
    segment.sounding = false;
    segment.ranDry = true;
    this.totals.underruns++;
    this.prebufferMs = Math.min(PREBUFFER_MS.most, this.prebufferMs + PREBUFFER_MS.step);
    if (this.fade) {
      this.endFade();
      return;
    }
    this.report("position", this.place(segment));
  }

  finish(segment) {
    this.marks(segment);
    this.segments.shift();
    this.announced.delete(segment.stream);
    this.lastStopped = { stream: segment.stream, played: segment.end - segment.start };
    this.read = this.segments[0]?.start ?? this.write;
    this.pausing.forget(segment.stream);
    if (!segment.ranDry) this.prebufferMs = Math.max(PREBUFFER_MS.least, this.prebufferMs - PREBUFFER_MS.decay);
    if (this.fade) {
      this.endFade();
      return;
    }
    this.report("stopped", { ...this.lastStopped, buffered: 0 });
  }

  endFade() {
    const { stream } = this.fade;
    this.fade = null;
    this.drop(stream);
  }

  /** Forgets the stream and those before it, and reports what had been played of it. */
  drop(stream) {
    let played = this.lastStopped.stream === stream ? this.lastStopped.played : 0;
    let dropped = 0;
    while (this.segments.length > 0 && this.segments[0].stream <= stream) {
      const segment = this.segments.shift();
      const heard = Math.max(0, Math.floor(this.read) - segment.start);
      dropped += segment.end - segment.start - heard;
      if (segment.stream === stream) played = heard;
      this.read = segment.end;
    }
    for (const known of this.announced.keys()) if (known <= stream) this.announced.delete(known);
    this.pausing.forget(stream);
    this.report("cleared", { stream, played, buffered: 0, dropped });
  }

  // Reports.

  tick(output) {
    if (this.pausing.outlasted(output.length)) this.goOn();
    const current = this.segments[0];
    if (current) this.marks(current);
    const rms = this.level.pass(output.length);
    if (rms !== null) this.port.postMessage({ type: "level", rms });
    if (!current?.sounding) return;
    this.sincePosition += output.length;
    if (this.sincePosition < POSITION_SECONDS * sampleRate) return;
    this.sincePosition = 0;
    this.report("position", this.place(current));
  }

  marks(segment) {
    const { played } = this.place(segment);
    const { marks } = segment.about;
    while (marks.length > 0 && marks[0].at <= played) {
      this.report("mark", { ...this.place(segment), name: marks.shift().name });
    }
  }

  place(segment) {
    const played = Math.max(0, Math.floor(this.read) - segment.start);
    return {
      stream: segment.stream, played, buffered: segment.end - segment.start - played,
      sounding: segment.sounding && !this.pausing.holds(segment.stream),
    };
  }

  report(type, fields) {
    this.port.postMessage({ type, at: currentTime, ...fields, totals: { ...this.totals } });
  }
}

registerProcessor("kalami-playback", PlaybackProcessor);
