/**
 * The learner's loudspeaker, without sound: it plays the tutor's audio by the clock, waits
 * where audio is late, and reports what was heard, as the protocol asks of every client.
 */

const PREBUFFER_MS = 120; // as the page does on a good link
const POSITION_EVERY_MS = 250;

/** One reply of the tutor, as far as it can be heard. Times are milliseconds. */
export class Reply {
  constructor(id, stream, rate) {
    this.id = id;
    this.stream = stream;
    this.rate = rate;
    this.samples = 0;
    this.frames = 0;
    this.complete = false; // all audio has come
    this.whole = true; // no frame was lost or came twice
    this.firstAt = 0; // when its first audio came
    this.stopped = false; // played to its end, or there was nothing to play
    this.status = ""; // of response.done; empty before it
    this.announcedMs = 0; // how much audio there is, by the server's word
    this.underrunMs = 0;
    this.underruns = 0;
    this.began = 0; // when the stretch that is playing began …
    this.base = 0; // … and how much had been played by then
    this.reportedAt = 0;
    this.marks = [];
  }

  get receivedMs() {
    return (this.samples * 1000) / this.rate;
  }

  playedMs(now) {
    return this.began === 0 ? 0 : Math.min(Math.max(0, this.base + now - this.began), this.receivedMs);
  }
}

/** Plays replies one after the other. */
export class Loudspeaker {
  /** @param {function(string, object): void} report gets an event's type, without "output_audio_buffer.", and fields */
  constructor(report) {
    this.report = report;
    this.queue = [];
    this.floor = 0; // streams up to here were cleared
  }

  announce(reply) {
    this.queue.push(reply);
  }

  /** Takes one frame that came at `now`. */
  take({ stream, seq, pos, samples, last }, now) {
    const reply = this.queue.find((queued) => queued.stream === stream);
    if (!reply || stream <= this.floor) return;
    if (seq !== reply.frames || pos !== reply.samples) reply.whole = false;
    reply.frames++;
    if (samples > 0) this.feed(reply, samples, now);
    if (last) reply.complete = true;
  }

  feed(reply, samples, now) {
    if (reply.firstAt === 0) reply.firstAt = now;
    const owed = reply.base + now - reply.began - reply.receivedMs;
    if (reply.began !== 0 && owed > 0) { // it had run dry; what comes now is played at once
      reply.underrunMs += owed;
      reply.underruns++;
      reply.base = reply.receivedMs;
      reply.began = now;
    }
    reply.samples += samples;
  }

  /** Asks for a report when this place of a reply has been played. */
  mark(id, name, atMs) {
    this.queue.find((reply) => reply.id === id)?.marks.push({ name, atMs });
  }

  /** No more audio will come for a reply. */
  end(id) {
    const reply = this.queue.find((queued) => queued.id === id);
    if (reply) reply.complete = true;
  }

  /** Falls silent, and ignores what still comes for this stream and older ones. */
  clear(id, stream, now) {
    this.floor = Math.max(this.floor, stream);
    const reply = this.queue.find((queued) => queued.id === id);
    this.queue = this.queue.filter((queued) => queued.stream > this.floor);
    if (!reply) return;
    const played = reply.playedMs(now);
    reply.stopped = true;
    this.report("cleared", { response_id: id, played_ms: played, dropped_ms: reply.receivedMs - played });
  }

  /** Plays on until now, and reports what is due. */
  tick(now) {
    const reply = this.queue[0];
    if (!reply) return;
    if (reply.began === 0) this.begin(reply, now);
    const fields = { response_id: reply.id, played_ms: reply.playedMs(now) };
    while (reply.marks.length > 0 && reply.began !== 0 && reply.marks[0].atMs <= fields.played_ms) {
      this.report("mark", { ...fields, name: reply.marks.shift().name });
    }
    const left = reply.receivedMs - fields.played_ms;
    if (reply.complete && left <= 0) {
      this.queue.shift();
      reply.stopped = true;
      if (reply.began !== 0) this.report("stopped", fields);
    } else if (reply.began !== 0 && now - reply.reportedAt >= POSITION_EVERY_MS) {
      reply.reportedAt = now;
      this.report("position", { ...fields, buffered_ms: left, underruns: reply.underruns });
    }
  }

  begin(reply, now) {
    const enough = reply.complete ? reply.samples > 0 : reply.receivedMs >= PREBUFFER_MS;
    if (!enough) return;
    reply.began = now;
    reply.reportedAt = now;
    this.report("started", { response_id: reply.id });
  }
}
