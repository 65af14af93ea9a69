/**
 * From the server to the learner's ears: hands the tutor's audio to the player as the events say,
 * and reports what was really heard back to the server.
 */

import { FLAG } from "./client/frames.js";
import { noticeKind } from "./problems.js";

const tenths = (ms) => Math.round(ms * 10) / 10;

/** Serves one lesson, through all of its connections. */
export class Downlink {
  /**
   * @param {import("./lesson.js").Lesson} lesson
   * @param {import("./player.js").Player} player
   */
  constructor(lesson, player) {
    this.lesson = lesson;
    this.player = player;
    this.begin();
  }

  begin() {
    this.player.reset();
    this.flushes = new Map(); // stream → when the flush was ordered
    this.seam = null; // {response, stream, endMs}: a reply that goes on in another stream
  }

  /** Takes one event of the server, before the conversation does. */
  event(event) {
    this.handlers[event.type]?.call(this, event);
  }

  /** Takes one frame of the tutor's audio. */
  audio({ stream, flags, audio }) {
    this.lesson.conversation.audioArrived(stream);
    this.player.play(stream, audio);
    if (flags & FLAG.endOfStream) this.player.end(stream);
  }

  /** How far the player is with the reply that it plays, or with the last one; null when there was none. */
  place() {
    const { last } = this.player;
    const response = last && this.lesson.conversation.responseOf(last.stream);
    if (!response) return null;
    const drained = !last.sounding && last.bufferedMs === 0;
    const playedMs = drained ? last.playedMs : this.player.heardMs(last.stream) ?? 0;
    const leftMs = last.playedMs + last.bufferedMs - playedMs;
    return { response_id: response.id, played_ms: tenths(playedMs), buffered_ms: tenths(Math.max(0, leftMs)) };
  }

  /** Follows what the server says about the reply under way when it is back: see kalami-client.js. */
  goOn({ id, action, audio_end_ms: endMs }) {
    const response = this.lesson.conversation.responses.get(id);
    if (!response || action === "continue") return;
    if (action === "respeak") this.seam = { response, stream: response.stream, endMs, stopped: null };
    this.player.cut(response.stream, endMs);
  }

  handlers = Object.freeze({
    "session.created"() {
      this.begin();
    },
    "session.resumed"({ response }) {
      if (response) this.goOn(response);
    },
    "session.restarted"({ response }) {
      const streams = [...this.lesson.conversation.streams].filter(([, known]) => known.id !== response?.id).map(([stream]) => stream);
      if (streams.length > 0) this.player.flush(Math.max(...streams));
      if (response) this.goOn(response);
    },
    "input_audio_buffer.committed"() {
      this.lesson.clock.committed(this.player.nowMs);
      this.lesson.uplink.turnClosed();
    },
    "response.created"({ response, stream, audio }) {
      this.lesson.clock.response(response.id);
      const { seam } = this;
      const goesOn = seam?.response.id === response.id && stream !== seam.stream;
      this.player.announce(stream, audio?.format?.rate, goesOn ? { stream: seam.stream, endMs: seam.endMs } : undefined);
    },
    "output_audio_buffer.mark"({ response_id: id, name, at_ms: atMs }) {
      const stream = this.lesson.conversation.responses.get(id)?.stream;
      if (stream) this.player.mark(stream, name, atMs);
    },
    "response.output_audio.done"({ response_id: id }) {
      const stream = this.lesson.conversation.responses.get(id)?.stream;
      if (stream) this.player.end(stream);
    },
    "output_audio_buffer.clear"({ response_id: id, stream: named }) {
      const stream = named ?? this.lesson.conversation.responses.get(id)?.stream;
      if (!stream) return;
      this.flushes.set(stream, performance.now());
      this.player.flush(stream);
    },
    "output_audio_buffer.pause"({ response_id: id, stream: named }) {
      const stream = named ?? this.lesson.conversation.responses.get(id)?.stream;
      if (stream) this.player.pause(stream);
    },
    "output_audio_buffer.resume"({ response_id: id, stream: named }) {
      const stream = named ?? this.lesson.conversation.responses.get(id)?.stream;
      if (stream) this.player.resume(stream);
    },
    "response.done"({ response, latency }) {
      this.lesson.clock.done(response.id, latency);
      const known = this.lesson.conversation.responses.get(response.id);
      if (!known) return;
      if (response.status !== "completed") this.player.end(known.stream);
      const { seam } = this;
      if (seam?.response === known && seam.stopped && known.stream === seam.stream) this.pass(seam.stopped, known); // nothing followed
    },
    "conversation.item.input_audio_transcription.delta"() {
      this.lesson.uplink.spoke();
    },
    "tutor.nudge"({ kind }) {
      if (kind === "hold") this.lesson.uplink.heldByWord();
    },
    "session.goaway"({ reason }) {
      this.lesson.notice(reason === "max_duration" ? "ending-soon" : "restart-soon");
    },
    warning({ code }) {
      const kind = noticeKind(code);
      if (kind === "echo" && this.lesson.echoTold) return; // once is enough
      if (kind === "echo") this.lesson.echoTold = true;
      if (kind) this.lesson.notice(kind);
    },
    error({ error }) {
      if (error.fatal) return; // the close says it
      const harmless = error.code === "unknown_event" || error.code === "response_not_active";
      if (!harmless) this.lesson.notice(noticeKind(error.code) ?? "error", error.message);
    },
  });

  /** Takes a report of the player and passes it on. */
  report(report) {
    const { lesson } = this;
    if (report.type === "level") {
      lesson.tutorLevel = report.rms;
      return;
    }
    const response = lesson.conversation.responseOf(report.stream);
    if (!response) return;
    const { seam } = this;
    const joins = seam?.response === response && report.stream === seam.stream;
    if (joins && report.type === "stopped" && !(response.done && response.stream === seam.stream)) {
      seam.stopped = report; // only of this stream: the reply goes on in another
      return;
    }
    this.pass(report, response);
  }

  pass(report, response) {
    const { lesson } = this;
    if (report.type !== "started" || !response.started) this.tell(report, response);
    lesson.conversation.playback(report);
    if (report.type === "stopped" || report.type === "cleared") lesson.uplink.tutorStopped(this.player.outputLatencyMs);
  }

  tell({ type, stream, name, playedMs, bufferedMs, droppedMs, heardAtMs, waitMs }, response) {
    const fields = { response_id: response.id };
    if (type !== "started") fields.played_ms = tenths(playedMs);
    if (type === "started") {
      const { latencyMs, speechEndMs } = this.lesson.clock.heard(response.id, heardAtMs);
      Object.assign(fields, { latency_ms: tenths(latencyMs), speech_end_ms: tenths(speechEndMs), buffer_ms: tenths(waitMs) });
    }
    if (type === "position") {
      fields.buffered_ms = tenths(bufferedMs);
      fields.underruns = this.player.totals.underruns;
    }
    if (type === "mark") fields.name = name;
    if (type === "cleared") {
      fields.dropped_ms = tenths(droppedMs);
      this.lesson.counters.lastClearMs = performance.now() - (this.flushes.get(stream) ?? performance.now());
      this.flushes.delete(stream);
    }
    if (type === "stopped" && !response.hasAudio) return;
    this.lesson.socket?.report(`output_audio_buffer.${type}`, fields);
  }
}
