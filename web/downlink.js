/**
 * From the server to the learner's ears: hands the tutor's audio to the player as the events say,
 * and reports what was really heard back to the server.
 */

import { FLAG } from "./frames.js";
import { noticeKind } from "./problems.js";

/** Serves one connection. */
export class Downlink {
  /**
   * @param {import("./lesson.js").Lesson} lesson
   * @param {import("./player.js").Player} player
   */
  constructor(lesson, player) {
    this.lesson = lesson;
    this.player = player;
    this.player.reset();
    this.flushes = new Map(); // stream → when the flush was ordered
    /** How long the server wants us to wait before we come back by ourselves. */
    this.reconnectAfterMs = 0;
    /** How long the learner has to wait, from the last fatal error. */
    this.retryAfterSeconds = 0;
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

  handlers = Object.freeze({
    "input_audio_buffer.committed"() {
      this.lesson.clock.committed(this.player.nowMs);
      this.lesson.uplink.turnClosed();
    },
    "response.created"({ response, stream, audio }) {
      this.lesson.clock.response(response.id);
      this.player.announce(stream, audio?.format?.rate);
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
      if (known && response.status !== "completed") this.player.end(known.stream);
    },
    "conversation.item.input_audio_transcription.delta"() {
      this.lesson.uplink.spoke();
    },
    "tutor.nudge"({ kind }) {
      if (kind === "hold") this.lesson.uplink.heldByWord();
    },
    "session.goaway"({ reason, reconnect }) {
      this.reconnectAfterMs = reconnect?.after_ms ?? 0;
      this.lesson.notice(reason === "max_duration" ? "ending-soon" : "restart-soon");
    },
    warning({ code }) {
      const kind = noticeKind(code);
      if (kind === "echo" && this.lesson.echoTold) return; // once is enough
      if (kind === "echo") this.lesson.echoTold = true;
      if (kind) this.lesson.notice(kind);
    },
    error({ error }) {
      if (error.fatal) {
        this.retryAfterSeconds = Math.ceil((error.retry_after_ms ?? 0) / 1000);
        return;
      }
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
    this.tell(report, response);
    lesson.conversation.playback(report);
    if (report.type === "stopped" || report.type === "cleared") lesson.uplink.tutorStopped(this.player.outputLatencyMs);
  }

  tell({ type, stream, name, playedMs, bufferedMs, droppedMs, heardAtMs, waitMs }, response) {
    const round = (ms) => Math.round(ms * 10) / 10;
    const fields = { response_id: response.id };
    if (type !== "started") fields.played_ms = round(playedMs);
    if (type === "started") {
      const { latencyMs, speechEndMs } = this.lesson.clock.heard(response.id, heardAtMs);
      Object.assign(fields, { latency_ms: round(latencyMs), speech_end_ms: round(speechEndMs), buffer_ms: round(waitMs) });
    }
    if (type === "position") {
      fields.buffered_ms = round(bufferedMs);
      fields.underruns = this.player.totals.underruns;
    }
    if (type === "mark") fields.name = name;
    if (type === "cleared") {
      fields.dropped_ms = round(droppedMs);
      this.lesson.counters.lastClearMs = performance.now() - (this.flushes.get(stream) ?? performance.now());
      this.flushes.delete(stream);
    }
    if (type === "stopped" && !response.hasAudio) return;
    this.lesson.socket?.send(`output_audio_buffer.${type}`, fields);
  }
}
