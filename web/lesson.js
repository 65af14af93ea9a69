/**
 * One lesson: brings the microphone, the tutor's voice, the socket and the conversation
 * together. The page shows what it finds here and calls what the learner asks for.
 */

import { Sound } from "./audio.js";
import { Conversation, STATE } from "./conversation.js";
import { Downlink } from "./downlink.js";
import { KalamiClient } from "./kalami-client.js";
import { ACTION, closeProblem, environmentProblem, microphoneProblem, requestProblem, soundProblem } from "./problems.js";
import { Recall } from "./recall.js";
import { Teaching } from "./teaching.js";
import { TurnClock } from "./turn-clock.js";
import { Uplink } from "./uplink.js";
import { WakeLock } from "./wake-lock.js";

const END_DEADLINE_MS = 2500;
const BEGINNINGS = new Set(["session.created", "session.resumed", "session.restarted"]);
const SHOW_LOSS_MS = 300; // nobody need hear of a break that is over sooner

/**
 * Fires "change" when anything that is shown has changed.
 *
 * @property {{kind: string, action: string, waitSeconds?: number, detail?: string} | null} problem
 *   why nobody is talking; null while all is well
 * @property {Map<string, string>} notices what is not as it should be in a lesson that goes on
 * @property {boolean} asking the browser is asking for the microphone
 * @property {number} micLevel loudness of the microphone, 0 to 1
 * @property {number} tutorLevel loudness of the tutor, 0 to 1
 */
export class Lesson extends EventTarget {
  /**
   * @param {import("./api.js").Api} api
   * @param {{language: string, level: string, native: string, scenario?: object, review?: boolean}} choice `scenario`
   *   is what is played, as the server tells it; `review` has the tutor ask the cards that are due
   */
  constructor(api, choice) {
    super();
    this.api = api;
    this.choice = choice;
    this.conversation = new Conversation(choice.language);
    this.conversation.addEventListener("change", () => this.changed());
    this.clock = new TurnClock();
    this.teaching = new Teaching(this);
    this.recall = choice.review ? new Recall(this) : null;
    this.problem = null;
    this.notices = new Map();
    this.withMicrophone = true;
    this.uplink = new Uplink(this);
    this.asking = false; // the browser asks whether we may hear
    this.micLevel = 0;
    this.tutorLevel = 0;
    this.suspended = false;
    this.echoTold = false; // the learner knows that the tutor hears itself
    this.player = null;
    this.counters = { micFrames: 0, micDropped: 0, lastClearMs: 0, connections: 0 };
    this.attempt = 0;
    this.wakeLock = new WakeLock();
    this.onVisibility = () => this.socket?.send("input_audio.state", this.uplink.facts());
  }

  /**
   * Starts, or goes on with, the lesson. Call it inside a click or key press.
   *
   * @param {{microphone?: boolean}} [how] without a microphone the learner types
   */
  async start({ microphone = true } = {}) {
    const attempt = ++this.attempt;
    this.withMicrophone = microphone;
    this.problem = environmentProblem();
    if (this.problem) {
      this.changed();
      return;
    }
    this.notices.clear();
    this.conversation.enter(STATE.connecting);
    let audio;
    this.asking = microphone;
    try {
      audio = this.openAudio();
      if (microphone) await audio.microphone.request();
      this.asking = false;
      this.changed();
      await audio.start();
    } catch (error) {
      const problem = this.asking ? microphoneProblem(error) : soundProblem(error);
      this.asking = false;
      if (attempt === this.attempt) await this.fail(problem);
      else await audio?.close();
      return;
    }
    if (attempt !== this.attempt) {
      await audio.close();
      return;
    }
    audio.microphone.setMuted(this.uplink.muted);
    audio.microphone.connect();
    this.wakeLock.hold();
    document.addEventListener("visibilitychange", this.onVisibility);
    this.connect();
  }

  /** Whether pressing the talk button may start the lesson, or go on with it. */
  get startable() {
    const { problem } = this;
    return !problem || (!problem.waitSeconds && (problem.action === ACTION.retry || problem.action === ACTION.proceed));
  }

  /** Ends the lesson; its summary follows. */
  async end() {
    const sent = this.socket?.end();
    if (!sent && this.conversation.phase !== STATE.reconnecting) { // else it is sent at the return
      await this.leave();
      return;
    }
    this.endTimer = setTimeout(() => this.leave(), END_DEADLINE_MS);
  }

  /** Stops the tutor in the middle of a sentence. */
  stopTutor() {
    const response = this.conversation.activeResponse;
    if (response) this.socket?.send("response.cancel", { response_id: response.id });
  }

  /** Changes settings of this conversation: `patience_ms`, `speech_rate`. */
  set(settings) {
    this.socket?.send("tutor.set", settings);
  }

  /** Sends a typed message, now or when the connection is back; false when there is no session. */
  type(text) {
    if (!this.socket?.type(text)) return false;
    this.clock.typed(this.player.nowMs);
    this.conversation.addTyped(text);
    return true;
  }

  /** Goes on after the browser has stopped the sound; call it inside a click or key press. */
  async resumeSound() {
    await this.audio?.resume();
  }

  /** Puts a notice away. */
  dismiss(kind) {
    this.notices.delete(kind);
    this.changed();
  }

  /** Lets go of everything at once, as when the page is left. */
  async close() {
    this.attempt++;
    clearTimeout(this.endTimer);
    clearTimeout(this.lossTimer);
    this.uplink.drop();
    this.teaching.close();
    this.socket?.close();
    this.socket = null;
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.wakeLock.release();
    const { audio } = this;
    this.audio = null;
    this.micLevel = 0;
    this.tutorLevel = 0;
    await audio?.close();
  }

  openAudio() {
    this.audio = new Sound({
      onBlock: (block) => this.uplink.take(block),
      onDevice: (_facts, restarted) => this.deviceChanged(restarted),
      onMicrophoneLost: (error) => this.notice("microphone-lost", error.name),
      onPlayback: (report) => this.downlink?.report(report),
      onSuspended: (suspended) => {
        this.suspended = suspended;
        this.changed();
      },
    });
    this.player = this.audio.player; // outlives the audio, for its counters
    return this.audio;
  }

  /** Opens the conversation, or goes on with the one that is shown. It comes back by itself from then on. */
  connect() {
    this.downlink = new Downlink(this, this.player);
    const known = this.conversation.session?.conversation_id;
    const ticket = async (conversationId) => {
      const { language, level, native, scenario, review } = this.choice;
      const profile = await this.api.profile(language, level, native);
      const begun = conversationId || known || (review && await this.api.beginReview(profile.id));
      return this.api.ticket(profile.id, { conversationId: begun, scenarioId: scenario?.id });
    };
    this.socket = new KalamiClient({
      ticket,
      playback: () => this.downlink.place(),
      onEvent: (event) => this.takeEvent(event),
      onAudio: (frame) => this.downlink.audio(frame),
      onState: (state) => this.connectionIs(state),
      onClose: (end) => this.closed(end),
    });
    this.socket.connect();
  }

  takeEvent(event) {
    this.recall?.take(event);
    if (!this.teaching.take(event)) this.downlink.event(event);
    this.conversation.apply(event);
    if (event.type === "auth.expiring") this.api.extend(this.socket);
    if (BEGINNINGS.has(event.type)) {
      this.uplink.begin();
      this.notices.delete("restart-soon");
      this.counters.connections++;
    }
  }

  connectionIs(state) {
    clearTimeout(this.lossTimer);
    if (state === "live") this.conversation.enter("live");
    if (state === "reconnecting") this.lossTimer = setTimeout(() => this.conversation.enter(STATE.reconnecting), SHOW_LOSS_MS);
  }

  deviceChanged(restarted) {
    this.notices.delete("microphone-lost");
    this.uplink.deviceChanged(restarted);
    this.changed();
  }

  async closed({ code, reason, retryAfterMs, error }) {
    this.lastClose = { code, reason };
    if (code === 1000) {
      await this.leave();
      return;
    }
    const problem = error ? requestProblem(error) : closeProblem(code);
    await this.fail({ ...problem, waitSeconds: Math.ceil(retryAfterMs / 1000) || problem.waitSeconds });
  }

  async fail(problem) {
    this.problem = problem;
    await this.close();
    this.conversation.enter(STATE.idle);
  }

  async leave() {
    await this.close();
    this.conversation.enter(STATE.ended);
  }

  notice(kind, detail = "") {
    this.notices.set(kind, detail);
    this.changed();
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }
}
