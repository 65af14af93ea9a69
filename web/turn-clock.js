/**
 * How long the learner waits for an answer: from the end of their speech to the first
 * sound that they can hear, all by their own device's clock. The server's report says how
 * the time on either side of the turn's end divides into stages.
 */

const SPEECH_TO_NOISE = 3;
const QUIETEST_SPEECH = 0.012;
const LONGEST_PAUSE_MS = 10000;

/** Measures turns. All times are performance.now() milliseconds. */
export class TurnClock {
  constructor() {
    this.noise = 0.005;
    this.lastLoud = 0;
    this.waiting = null; // {from, closed, typed}: a turn without a response yet
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
    this.waiting = { from: heardEnd, closed: now, typed: false };
  }

  /** The learner sent a typed message. */
  typed(now) {
    this.waiting = { from: now, closed: now, typed: true };
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
    turn.heard = now;
    turn.shown = { number: this.turns.length + 1, typed: turn.typed, heardMs: Math.round(now - turn.from), stages: [] };
    this.turns.push(turn.shown);
  }

  /** The server tells where the time went. */
  done(id, latency = {}) {
    const turn = this.byResponse.get(id);
    this.byResponse.delete(id);
    if (turn?.shown) turn.shown.stages = stagesOf(turn, latency);
  }
}

/**
 * Divides a turn into stages, in the order in which they pass: `hearing` until the words were final,
 * `patience` until the turn was closed, `thinking` until the first word, `wording` until the first
 * clause, `voice` until its first sound, and `way`, which is the network and the player.
 */
function stagesOf({ from, closed, heard }, latency) {
  const ms = (field) => Math.max(0, latency[field] ?? 0);
  const hearing = Math.min(ms("stt_final_ms"), closed - from);
  const answer = [["thinking", ms("llm_ttft_ms")], ["wording", ms("clause_ms")], ["voice", ms("tts_ttfb_ms")]];
  const known = answer.reduce((sum, [, time]) => sum + time, 0);
  if (hearing + known === 0) return [];
  return [["hearing", hearing], ["patience", closed - from - hearing], ...answer, ["way", heard - closed - known]]
    .map(([stage, time]) => [stage, Math.round(time)])
    .filter(([, time]) => time > 0);
}
