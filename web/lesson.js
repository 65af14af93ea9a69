/**
 * One lesson: brings the microphone, the tutor's voice, the socket and the conversation
 * together. The page shows what it finds here and calls what the learner asks for.
 */

import { Sound } from "./audio.js";
import { Conversation, STATE } from "./conversation.js";
import { Downlink } from "./downlink.js";
import { ACTION, closeProblem, environmentProblem, microphoneProblem, requestProblem, soundProblem } from "./problems.js";
import { TurnClock } from "./turn-clock.js";
import { Uplink } from "./uplink.js";
import { VoiceSocket } from "./voice-socket.js";
import { WakeLock } from "./wake-lock.js";

const END_DEADLINE_MS = 2500;
const STEADY_MS = 10000; // a connection that lasted this long may be renewed by itself again

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
   * @param {{language: string, level: string, native: string}} choice
   */
  constructor(api, choice) {
    super();
    this.api = api;
    this.choice = choice;
    this.conversation = new Conversation(choice.language);
    this.conversation.addEventListener("change", () => this.changed());
    this.clock = new TurnClock();
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
    this.renewed = false;
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
    await this.connect(attempt);
  }

  /** Whether pressing the talk button may start the lesson, or go on with it. */
  get startable() {
    const { problem } = this;
    return !problem || (!problem.waitSeconds && (problem.action === ACTION.retry || problem.action === ACTION.proceed));
  }

  /** Ends the lesson; its summary follows. */
  async end() {
    if (!this.socket?.send("session.end", { reason: "learner" })) {
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

  /** Sends a typed message; false when there is no connection. */
  type(text) {
    const item = { type: "message", role: "user", content: [{ type: "input_text", text }] };
    if (!this.socket?.send("conversation.item.create", { item })) return false;
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
    this.uplink.drop();
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

  async connect(attempt) {
    try {
      const { language, level, native } = this.choice;
      const profile = await this.api.profile(language, level, native);
      const grant = await this.api.ticket(profile.id, this.conversation.session?.conversation_id);
      if (attempt === this.attempt) this.open(grant);
    } catch (error) {
      if (attempt === this.attempt) await this.fail(requestProblem(error));
    }
  }

  open(grant) {
    this.downlink = new Downlink(this, this.player);
    this.counters.connections++;
    this.openedAt = performance.now();
    this.socket = new VoiceSocket(grant, {
      onEvent: (event) => this.takeEvent(event),
      onAudio: (frame) => this.downlink.audio(frame),
      onClose: (end) => this.closed(end),
    });
  }

  takeEvent(event) {
    this.downlink.event(event);
    this.conversation.apply(event);
    if (event.type === "auth.expiring") this.api.extend(this.socket);
    if (event.type === "session.created") {
      this.uplink.begin();
      this.notices.delete("restart-soon");
    }
  }

  deviceChanged(restarted) {
    this.notices.delete("microphone-lost");
    this.uplink.deviceChanged(restarted);
    this.changed();
  }

  async closed({ code, reason, opened }) {
    this.socket = null;
    this.uplink.drop();
    this.lastClose = { code, reason };
    if (code === 1000) {
      await this.leave();
      return;
    }
    const problem = closeProblem(code);
    if (opened && performance.now() - this.openedAt > STEADY_MS) this.renewed = false;
    const byItself = problem.action === ACTION.renew || code === 1012 || (code >= 4100 && code < 4200);
    if (byItself && !this.renewed) {
      await this.renew(this.downlink.reconnectAfterMs);
      return;
    }
    if (problem.action === ACTION.renew) problem.action = ACTION.signIn;
    await this.fail({ ...problem, waitSeconds: this.downlink.retryAfterSeconds || problem.waitSeconds });
  }

  /** One new connection for the same conversation, with the microphone left open. */
  async renew(afterMs) {
    this.renewed = true;
    const attempt = ++this.attempt;
    this.conversation.enter(STATE.connecting);
    this.player.reset();
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    if (attempt === this.attempt) await this.connect(attempt);
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
