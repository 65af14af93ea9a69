/**
 * One AudioContext for both directions: one clock, and the browser's echo canceller
 * sees what is played. Its rate is the device's own; the worklets convert.
 */

import { Microphone } from "./microphone.js";
import { Player } from "./player.js";

/** The learner's microphone and the tutor's voice. Make one inside a click or key press. */
export class Sound {
  /**
   * @param {{
   *   onBlock: (block: {samples: Int16Array, rms: number, at: number}) => void,
   *   onDevice: (facts: object, restarted: boolean) => void,
   *   onMicrophoneLost: (error: Error) => void,
   *   onPlayback: (report: object) => void,
   *   onSuspended: (suspended: boolean) => void,
   * }} handlers `onBlock` gets 20 ms of 16 kHz microphone sound at a time, see capture-worklet.js; `onDevice` gets what
   *   the microphone is, again after a change; `onPlayback` gets the player's reports.
   */
  constructor(handlers) {
    if (navigator.audioSession) navigator.audioSession.type = "play-and-record";
    this.context = new AudioContext({ latencyHint: "interactive" });
    this.resumed = this.context.resume();
    this.context.onstatechange = () => {
      if (this.context.state !== "closed") handlers.onSuspended(this.context.state !== "running");
    };
    this.microphone = new Microphone(this.context, handlers);
    this.player = new Player(this.context, handlers.onPlayback);
  }

  /** Loads the worklets; resolves when the tutor could be heard. */
  async start() {
    const module = (name) => this.context.audioWorklet.addModule(new URL(name, import.meta.url));
    await Promise.all([module("./capture-worklet.js"), module("./playback-worklet.js")]);
    this.player.start();
    // A browser that wants another gesture leaves resume() pending: onSuspended tells.
    await Promise.race([this.resumed, new Promise((resolve) => setTimeout(resolve, 1000))]);
  }

  /** Goes on after an interruption (a phone call); call it inside a click or key press. */
  async resume() {
    await this.context.resume();
  }

  /** Frees the microphone and the audio device. */
  async close() {
    this.microphone.close();
    this.context.onstatechange = null;
    if (this.context.state !== "closed") await this.context.close();
  }
}
