/** The tutor's voice: hands audio to the playback worklet and knows how far it is. */

/** Plays responses by their stream number; see playback-worklet.js. */
export class Player {
  /**
   * @param {AudioContext} context
   * @param {(report: {type: string, stream: number, playedMs: number, bufferedMs: number, droppedMs?: number,
   *   name?: string, rms?: number, heardAtMs?: number, waitMs?: number}) => void} onReport `type` is started,
   *   position, mark, stopped, cleared or level; `heardAtMs` is when the report's place is heard, by
   *   {@link nowMs}'s clock, and `waitMs`, with started, how long before it the first frame had come
   */
  constructor(context, onReport) {
    this.context = context;
    this.onReport = onReport;
    this.rates = new Map();
    this.arrivals = new Map(); // stream → when its first frame came
    this.seams = new Map(); // stream → {stream, endMs}: where in its reply it goes on after another one
    this.last = null; // the newest place reported
    this.clearedUpTo = 0;
    this.totals = { played: 0, nonZero: 0, underruns: 0, flushes: 0, late: 0, overflow: 0, pauses: 0 };
  }

  /**
   * The page's one clock for sound, in milliseconds: the AudioContext's, by which both worklets
   * count frames. A difference on it is exact; reading it here is exact to the device's buffer.
   */
  get nowMs() {
    return 1000 * this.context.currentTime;
  }

  /** Milliseconds between handing a sample to the device and hearing it. */
  get outputLatencyMs() {
    return 1000 * (this.context.outputLatency || this.context.baseLatency || 0);
  }

  /** Connects the worklet, whose module must be loaded. */
  start() {
    this.node = new AudioWorkletNode(this.context, "kalami-playback", {
      numberOfInputs: 0, numberOfOutputs: 1, outputChannelCount: [1],
    });
    this.node.port.onmessage = ({ data }) => this.report(data);
    this.node.connect(this.context.destination);
  }

  /**
   * Announces a response and its rate in hertz, or the rest of one: then all places of the stream
   * count from the response's beginning.
   *
   * @param {{stream: number, endMs: number}} [after] where in which stream it goes on
   */
  announce(stream, rate, after) {
    this.rates.set(stream, rate);
    if (after) this.seams.set(stream, after);
    this.post({ type: "stream", stream, rate });
  }

  /** Queues audio; the samples' buffer must not be used afterwards. */
  play(stream, samples) {
    if (stream <= this.clearedUpTo) {
      this.totals.late++;
      return;
    }
    if (!this.arrivals.has(stream)) this.arrivals.set(stream, this.nowMs);
    this.post({ type: "audio", stream, samples }, [samples.buffer]);
  }

  /** Says that no more audio will come for this response. */
  end(stream) {
    this.post({ type: "end", stream });
  }

  /** Asks for a report when this place has been played. */
  mark(stream, name, atMs) {
    this.post({ type: "mark", stream, name, at: ((atMs - this.beginsMs(stream)) * this.rate(stream)) / 1000 });
  }

  /** Forgets what comes after this place; what is before it plays on to its end. */
  cut(stream, endMs) {
    this.post({ type: "cut", stream, at: Math.round(((endMs - this.beginsMs(stream)) * this.rate(stream)) / 1000) });
  }

  /** Stops where it is, losing nothing, until {@link resume} or for two seconds. */
  pause(stream) {
    this.post({ type: "pause", stream });
  }

  /** Plays on from the very sample. */
  resume(stream) {
    this.post({ type: "resume", stream });
  }

  /** Falls silent now, and ignores whatever still comes for this stream and older ones. */
  flush(stream) {
    this.clearedUpTo = Math.max(this.clearedUpTo, stream);
    this.post({ type: "flush", stream });
  }

  /** Falls silent for a new connection, whose streams count from 1 again. */
  reset() {
    this.clearedUpTo = 0;
    this.last = null;
    this.rates.clear();
    this.arrivals.clear();
    this.seams.clear();
    this.post({ type: "reset" });
  }

  /** How much of this stream has been heard by now, in milliseconds; null when it is not the one playing. */
  heardMs(stream) {
    const playing = this.last?.stream;
    if (playing === undefined || (playing !== stream && playing !== this.seams.get(stream)?.stream)) return null;
    const { playedMs, bufferedMs, sounding, at } = this.last;
    const since = sounding ? Math.max(0, (this.context.currentTime - at) * 1000) : 0;
    return Math.max(0, playedMs + Math.min(since, bufferedMs) - this.outputLatencyMs);
  }

  beginsMs(stream) {
    return this.seams.get(stream)?.endMs ?? 0;
  }

  rate(stream) {
    return this.rates.get(stream) ?? 24000;
  }

  post(message, transfer = []) {
    this.node?.port.postMessage(message, transfer);
  }

  report(data) {
    if (data.type === "level") {
      this.onReport(data);
      return;
    }
    const { late } = this.totals;
    this.totals = { ...data.totals, late: Math.max(late, data.totals.late) };
    const inMs = (samples) => (samples * 1000) / this.rate(data.stream);
    const place = {
      stream: data.stream, playedMs: this.beginsMs(data.stream) + inMs(data.played), bufferedMs: inMs(data.buffered),
      sounding: Boolean(data.sounding), at: data.at,
    };
    const still = this.last?.stream === place.stream && !this.last.sounding && this.last.playedMs === place.playedMs;
    place.stillSince = still ? this.last.stillSince : data.at;
    if (data.type !== "stopped" && data.type !== "cleared") this.last = place;
    else if (this.last?.stream === data.stream) this.last = { ...place, bufferedMs: 0, sounding: false };
    const heard = data.type === "stopped" ? place.playedMs : Math.max(0, place.playedMs - this.inFlightMs(place));
    const heardAtMs = 1000 * data.at + this.outputLatencyMs;
    this.onReport({
      type: data.type, stream: data.stream, name: data.name, playedMs: heard,
      bufferedMs: place.bufferedMs, droppedMs: inMs(data.dropped ?? 0),
      heardAtMs, waitMs: heardAtMs - (this.arrivals.get(data.stream) ?? heardAtMs),
    });
  }

  /**
   * What has left for the device but is not heard yet. At a stream's natural end all of it will be;
   * and when nothing has left for a while, as in a pause, all of it has been.
   */
  inFlightMs({ sounding, at, stillSince }) {
    return sounding ? this.outputLatencyMs : Math.max(0, this.outputLatencyMs - 1000 * (at - stillSince));
  }
}
