/**
 * What the conversation is: its state, and both sides' words. It takes the server's events
 * and the player's reports and keeps the picture that the page shows; it does no I/O.
 */

import { newItem } from "./items.js";
import { replaceItems, textOf } from "./snapshot.js";

/** The states of a conversation. */
export const STATE = Object.freeze({
  idle: "idle", connecting: "connecting", listening: "listening",
  thinking: "thinking", speaking: "speaking", reconnecting: "reconnecting", ended: "ended",
});

const SHOWN_NUDGES = new Set(["hint", "rephrase", "offer"]);

/** Fires "change" when anything that is shown has changed, and "say" with a line for screen readers. */
export class Conversation extends EventTarget {
  /** @param {string} language being learned */
  constructor(language) {
    super();
    this.language = language;
    this.phase = STATE.idle; // idle, connecting, reconnecting, ended, or "live"
    this.state = STATE.idle;
    this.states = [STATE.idle];
    this.items = []; // in the order in which they are shown
    this.session = null;
    this.summary = null;
    this.endReason = "";
    this.hearing = false; // the learner is speaking
    this.misheard = false; // the last speech had no words
    this.nudge = null; // {kind, text, language?}: a help that the server offers
    this.spokenTurns = 0;
    this.typedTurns = 0;
    this.connection = 0;
    this.forgetSession();
  }

  /** Begins a session, be it a new one of the same conversation. */
  forgetSession() {
    this.connection++;
    for (const item of this.items) item.stream = 0; // what was not heard of it never will be
    this.byKey = new Map(); // ids may begin again with every session
    this.responses = new Map();
    this.streams = new Map();
    this.sounding = 0; // the stream that is heard
    this.awaiting = false; // an answer is on its way
    this.hearing = false;
    this.saying = false; // words of the learner's turn have come
    this.nudge = null;
  }

  /** Whether the learner has begun a turn that is not over. */
  get turnOpen() {
    return this.hearing || this.saying;
  }

  /** What the tutor says about its simulated parts; null when all of it is real. */
  get demo() {
    return this.session?.demo ?? null;
  }

  /** The line that a simulated recogniser will hear next; empty when there is none. */
  get nextLine() {
    return this.demo?.script?.[this.spokenTurns] ?? "";
  }

  /** The items that have a bubble: what is said again is in its first one. */
  get shown() {
    return this.items.filter((item) => !item.repeats);
  }

  /** An item by its id, undefined when there is none. */
  find(id) {
    return this.byKey.get(this.key(id)) ?? this.items.findLast((item) => item.id === id);
  }

  /** The response that belongs to a stream of audio. */
  responseOf(stream) {
    return this.streams.get(stream);
  }

  /** The response that is being prepared or heard now, or undefined. */
  get activeResponse() {
    return this.streams.get(this.sounding) ?? [...this.responses.values()].findLast((response) => !response.done);
  }

  /** Enters idle, connecting, reconnecting, live or ended. */
  enter(phase) {
    const goesOn = phase === "live" || phase === STATE.reconnecting;
    if (phase !== this.phase && !goesOn) this.forgetSession();
    this.phase = phase;
    this.changed();
  }

  /** Shows a typed message at once; the server's own item replaces it. */
  addTyped(text) {
    this.items.push({ ...newItem(`typed-${this.typedTurns++}`, "", "user"), text, final: true, typed: true });
    this.awaiting = true;
    this.nudge = null;
    this.changed();
  }

  /** Notes that audio of a stream has come. */
  audioArrived(stream) {
    const response = this.streams.get(stream);
    if (response) response.hasAudio = true;
  }

  /** Takes one event of the server. */
  apply(event) {
    this.handlers[event.type]?.call(this, event);
    this.changed();
  }

  handlers = Object.freeze({
    "session.created"({ session }) {
      if (this.phase !== STATE.connecting) this.forgetSession();
      this.session = session;
      this.phase = "live";
    },
    "session.resumed"({ response }) {
      this.goOn(response);
    },
    "session.restarted"({ session, items, response }) {
      this.session = session;
      replaceItems(this, items, response?.id);
      this.goOn(response);
    },
    "session.updated"({ session }) {
      this.session = session;
    },
    "session.ended"({ reason, summary }) {
      this.endReason = reason;
      this.summary = summary ?? null;
    },
    "input_audio_buffer.speech_started"() {
      this.hearing = true;
      this.misheard = false;
      this.nudge = null;
    },
    "input_audio_buffer.speech_stopped"() {
      this.hearing = false;
    },
    "input_audio_buffer.committed"() {
      this.hearing = false;
      this.saying = false;
      this.awaiting = true;
      this.nudge = null;
      this.spokenTurns++;
    },
    "conversation.item.input_audio_transcription.delta"({ item_id: id, text }) {
      if (!text) return;
      this.update(id, "user", { text });
      this.saying = true;
      this.nudge = null;
    },
    "conversation.item.input_audio_transcription.completed"({ item_id: id, transcript }) {
      if (transcript) this.update(id, "user", { text: transcript, final: true });
      if (transcript) this.say("user", transcript);
    },
    "conversation.item.input_audio_transcription.failed"({ item_id: id }) {
      this.update(id, "user", { final: true, failed: true });
      this.awaiting = false;
      this.saying = false;
    },
    "conversation.item.added"({ item }) {
      this.take(item, false);
    },
    "conversation.item.done"({ item }) {
      this.take(item, true);
    },
    "tutor.not_understood"({ item_id: id }) {
      this.items = this.items.filter((item) => item.key !== this.key(id));
      this.byKey.delete(this.key(id));
      this.awaiting = false;
      this.hearing = false;
      this.saying = false;
      this.misheard = true;
    },
    "tutor.nudge"({ kind, text = "" }) {
      const shown = kind === "pause" || (SHOWN_NUDGES.has(kind) && text !== "");
      if (shown) this.nudge = { kind, text }; // else the tutor says it, and what is shown stays
    },
    "response.created"({ response, stream }) {
      const begun = this.responses.get(response.id);
      if (begun) { // its rest, in another stream
        begun.stream = stream;
        this.streams.set(stream, begun);
        this.update(response.item_id, "assistant", { stream });
        return;
      }
      const item = this.update(response.item_id, "assistant", { stream, repeats: response.repeats ?? "" });
      const known = { id: response.id, stream, item, hasAudio: false, started: false, done: false };
      this.responses.set(response.id, known);
      this.streams.set(stream, known);
      this.awaiting = true;
    },
    "response.output_audio_transcript.delta"({ item_id: id, delta, audio_start_ms: startMs }) {
      const item = this.update(id, "assistant", {});
      item.track.add(delta, startMs ?? 0);
    },
    "response.output_audio_transcript.done"({ item_id: id, transcript }) {
      const item = this.update(id, "assistant", {});
      if (transcript && item.heard === null) item.track.complete(transcript);
    },
    "response.output_audio.done"({ item_id: id, audio_ms: ms }) {
      this.update(id, "assistant", {}).track.finish(ms);
    },
    "conversation.item.truncated"({ item_id: id, transcript }) {
      this.update(id, "assistant", { heard: transcript ?? "", complete: true });
    },
    "response.done"({ response }) {
      const known = this.responses.get(response.id);
      if (!known) return;
      known.done = true;
      const willSound = known.hasAudio && !known.started && response.status === "completed";
      if (!willSound && this.activeResponse === undefined) this.awaiting = false;
      if (!known.hasAudio) this.update(known.item.id, "assistant", { complete: true, failed: response.status === "failed" });
    },
  });

  /** Takes a report of the player: started, stopped or cleared. */
  playback({ type, stream }) {
    const response = this.streams.get(stream);
    if (!response) return;
    if (type === "started") {
      response.started = true;
      this.sounding = stream;
      this.awaiting = false;
    } else if (type === "stopped" || type === "cleared") {
      if (this.sounding === stream) this.sounding = 0;
      this.awaiting = this.awaiting && [...this.responses.values()].some((other) => other.stream > stream && !other.done);
      if (type === "stopped") this.update(response.item.id, "assistant", { complete: true });
      this.say("assistant", response.item.heard ?? response.item.track.text);
    } else {
      return;
    }
    this.changed();
  }

  key(id) {
    return `${this.connection}/${id}`;
  }

  /** Changes an item, making it first when it is new. */
  update(id, role, fields) {
    let item = this.byKey.get(this.key(id));
    if (!item) {
      item = newItem(this.key(id), id, role, this.language);
      this.byKey.set(item.key, item);
      this.items.push(item);
    }
    Object.assign(item, fields);
    item.version++;
    return item;
  }

  /** The reply under way when the connection is back: captions of what is spoken again come again. */
  goOn(response) {
    const known = this.responses.get(response?.id);
    if (!known || response.action === "continue") return;
    if (response.captions_anew) known.item.track.cut(0);
    if (response.action === "respeak") known.item.track.cut(response.audio_end_ms);
    this.update(known.item.id, "assistant", {});
  }

  /** Takes an item of the history; `done` means that it is stored for good. */
  take(item, done) {
    if (item.role !== "user") return;
    const text = textOf(item);
    const shown = this.items.find((known) => known.typed && known.id === "" && known.text === text);
    if (shown && !this.byKey.has(this.key(item.id))) {
      shown.id = item.id;
      this.byKey.set(this.key(item.id), shown);
    }
    if (!text && !this.byKey.has(this.key(item.id))) return;
    this.update(item.id, "user", { ...(text && { text, final: true }), ...(done && { saved: true, final: true }) });
  }

  say(role, text) {
    if (text) this.dispatchEvent(new CustomEvent("say", { detail: { role, text } }));
  }

  changed() {
    const live = this.sounding ? STATE.speaking : this.awaiting ? STATE.thinking : STATE.listening;
    const next = this.phase === "live" ? live : this.phase;
    if (next !== this.state) this.states.push(next);
    this.state = next;
    this.dispatchEvent(new Event("change"));
  }
}
