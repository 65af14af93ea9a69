/**
 * How long the learner waits for an answer: from the end of their speech to the first sound
 * that they can hear, by their own device. The server's report says how the time divides.
 *
 * All times are milliseconds of one clock, the AudioContext's: the capture worklet says at
 * which frame of it a block of the microphone came in, the playback worklet at which frame the
 * first sample went out. So the difference is a count of frames; neither the network nor a
 * busy page is in it. The devices are: speech has ended `MediaTrackSettings.latency` before it
 * comes in, and a sample is heard `outputLatency` after it goes out. Whoever calls this has
 * added and subtracted that already. An end of speech is exact to one block, which is 20 ms.
 */

const SPEECH_TO_NOISE = 3;
const QUIETEST_SPEECH = 0.012;
const KEPT = 8; // responses that may still be heard, or be reported on

/** What is not known. */
const UNKNOWN = Object.freeze({ latencyMs: 0, speechEndMs: 0 });

/** Measures turns. */
export class TurnClock {
  constructor() {
    this.noise = 0.005;
    this.speech = null; // {atMs, streamMs}: where the speech since the last turn has ended so far
    this.waiting = null; // {from, closed, speech, typed}: a turn without a response yet
    this.byResponse = new Map();
    /** The measured turns, oldest first: `{number, typed, heardMs, stages: [name, ms][], draftMs, report}`. */
    this.turns = [];
  }

  /**
   * Takes the loudness of 20 ms of the microphone.
   *
   * @param {number} rms 1 is full scale
   * @param {number} atMs when the block's last sample was spoken
   * @param {number} streamMs where the block ends in what the server gets; 0 when it gets nothing
   */
  level(rms, atMs, streamMs) {
    const isSpeech = rms > Math.max(QUIETEST_SPEECH, this.noise * SPEECH_TO_NOISE);
    if (isSpeech) this.speech = { atMs, streamMs };
    else this.noise += 0.02 * (rms - this.noise);
  }

  /** The learner's turn is closed. What our own ear has not heard counts from here. */
  committed(now) {
    const { speech } = this;
    this.waiting = { from: speech ? Math.min(speech.atMs, now) : now, closed: now, speech, typed: false };
    this.speech = null;
  }

  /** The learner sent a typed message. */
  typed(now) {
    this.waiting = { from: now, closed: now, speech: null, typed: true };
  }

  /** A response begins; it answers the turn that waits, if one does. */
  response(id) {
    if (!this.waiting) return;
    this.byResponse.set(id, this.waiting);
    this.waiting = null;
    if (this.byResponse.size > KEPT) this.byResponse.delete(this.byResponse.keys().next().value);
  }

  /**
   * The first sound of a response is heard at this time.
   *
   * @returns {{latencyMs: number, speechEndMs: number}} how long after the end of the learner's
   *   speech that is, and where in the microphone's stream the end was; 0 for what is not known
   */
  heard(id, atMs) {
    const turn = this.byResponse.get(id);
    if (!turn || turn.shown) return UNKNOWN;
    turn.heard = atMs;
    turn.shown = {
      number: this.turns.length + 1, typed: turn.typed, heardMs: Math.round(atMs - turn.from),
      stages: [], draftMs: 0, report: {},
    };
    this.turns.push(turn.shown);
    this.settle(turn);
    if (!turn.speech) return UNKNOWN;
    return { latencyMs: Math.max(0, atMs - turn.from), speechEndMs: turn.speech.streamMs };
  }

  /** The server tells where the time went. */
  done(id, latency) {
    const turn = this.byResponse.get(id);
    if (!turn) return;
    turn.report = latency ?? {};
    this.settle(turn);
  }

  /** Divides a turn when both sides have spoken, in whatever order: a short answer is done before it is heard. */
  settle(turn) {
    if (!turn.shown || !turn.report) return;
    turn.shown.report = turn.report;
    turn.shown.draftMs = turn.report.draft_ms ?? 0;
    turn.shown.stages = stagesOf(turn, turn.report);
  }
}

/**
 * Divides a turn into stages, in the order in which they pass: `hearing` until the words were final,
 * `patience` until the turn was closed, `thinking` until the first word, `wording` until the first
 * clause, `voice` until its first sound, and `way`, which is the network and the player. How long the
 * tutor really was patient is measured, not computed: a turn's patience is stretched and shortened.
 * What was made while it waited took none of the learner's time, and is left out.
 */
function stagesOf({ from, closed, heard }, report) {
  const ms = (field) => Math.max(0, report[field] ?? 0);
  const hearing = Math.min(ms("stt_final_ms"), closed - from);
  let made = ms("draft_ms");
  const rest = (field) => {
    const whole = ms(field);
    const saved = Math.min(whole, made);
    made -= saved;
    return whole - saved;
  };
  const answer = [["thinking", rest("llm_ttft_ms")], ["wording", rest("clause_ms")], ["voice", rest("tts_ttfb_ms")]];
  if (hearing + ms("llm_ttft_ms") + ms("first_audio_ms") === 0) return [];
  const known = answer.reduce((sum, [, time]) => sum + time, 0);
  return [["hearing", hearing], ["patience", closed - from - hearing], ...answer, ["way", heard - closed - known]]
    .map(([stage, time]) => [stage, Math.round(time)])
    .filter(([, time]) => time > 0);
}
