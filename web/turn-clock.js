/**
 * How long the learner waits for an answer: from the end of their speech to the first
 * sound that they can hear, by their own device, and where that time went as far as the server says.
 */

const SPEECH_TO_NOISE = 3;
const QUIETEST_SPEECH = 0.012;
const LONGEST_PAUSE_MS = 10000;

/** The stages of an answer in the order in which they pass, with their field of `response.done.latency`. */
export const STAGES = Object.freeze([
  ["patience", "endpoint_ms"],
  ["hearing", "stt_final_ms"],
  ["thinking", "llm_ttft_ms"],
  ["wording", "clause_ms"],
  ["voice", "tts_ttfb_ms"],
]);

/** Measures turns. All times are performance.now() milliseconds. */
export class TurnClock {
  constructor() {
    this.noise = 0.005;
    this.lastLoud = 0;
    this.waiting = null; // {from, typed}: a turn without a response yet
    this.byResponse = new Map();
    /** The measured turns, oldest first: `{number, typed, heardMs, stages: [name, ms][]}`. */
    this.turns = [];
  }

  /** Takes the loudness of the newest 20 ms of the microphone. */
  level(rms, now) {
    const isSpeech = rms > Math.max(QUIETEST_SPEECH, this.noise * SPEECH_TO_NOISE);
    if (isSpeech) this.lastLoud = now;
    else this.noise += 0.02 * (rms - this.noise);
  }

  /** The learner's turn is closed. */
  committed(now) {
    const heardEnd = now - this.lastLoud < LONGEST_PAUSE_MS ? this.lastLoud : now;
    this.waiting = { from: heardEnd, typed: false };
  }

  /** The learner sent a typed message. */
  typed(now) {
    this.waiting = { from: now, typed: true };
  }

  /** A response begins; it answers the turn that waits, if one does. */
  response(id) {
    if (this.waiting) this.byResponse.set(id, this.waiting);
    this.waiting = null;
  }

  /** The first sound of a response is heard at this time. */
  heard(id, now) {
    const turn = this.byResponse.get(id);
    if (!turn || turn.shown) return;
    turn.shown = { number: this.turns.length + 1, typed: turn.typed, heardMs: Math.round(now - turn.from), stages: [] };
    this.turns.push(turn.shown);
  }

  /** The server tells where the time went. */
  done(id, latency = {}) {
    const shown = this.byResponse.get(id)?.shown;
    this.byResponse.delete(id);
    if (!shown) return;
    const stages = STAGES.map(([name, field]) => [name, Math.round(latency[field] ?? 0)]).filter(([, ms]) => ms > 0);
    const known = stages.reduce((sum, [, ms]) => sum + ms, 0);
    if (shown.heardMs > known) stages.push(["way", shown.heardMs - known]);
    shown.stages = stages;
  }
}
