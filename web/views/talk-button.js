/** The one big button, with the level meter around it. */

import { STATE } from "../conversation.js";
import { t } from "../strings.js";
import { h, icon, setAttribute } from "./dom.js";
import { listenForTalk } from "./push-to-talk.js";

const FALL = 0.85; // how much of the level stays from one picture to the next

/** A loudness as the ear takes it: 0 for silence, 1 for a loud voice. */
function meter(rms) {
  const decibels = 20 * Math.log10(Math.max(rms, 1e-5));
  return Math.max(0, Math.min(1, (decibels + 52) / 42));
}

/** What pressing the button does now. */
function purpose(lesson) {
  const { conversation, uplink } = lesson;
  const live = conversation.phase === "live";
  if (lesson.suspended && live) return "suspended";
  if (live && uplink.pushToTalk) return uplink.latched ? "send" : uplink.talking ? "talking" : "push";
  if (conversation.state === STATE.listening) return uplink.muted ? "muted" : "listening";
  return conversation.state === STATE.ended ? STATE.idle : conversation.state;
}

const PICTURES = Object.freeze({
  suspended: "play", listening: "microphone", muted: "muted", idle: "microphone", connecting: "wave", reconnecting: "wave",
  thinking: "stop", speaking: "stop", push: "microphone", talking: "microphone", send: "send",
});

/** @param {import("../lesson.js").Lesson} lesson */
export function talkButton(lesson) {
  const { conversation, uplink } = lesson;
  const face = h("span.face");
  const button = h("button.talk-button", {
    type: "button", id: "talk-button", data: { action: "talk" },
    onclick: (event) => ({
      suspended: () => lesson.resumeSound(),
      idle: () => lesson.startable && lesson.start({ microphone: lesson.withMicrophone }),
      connecting: () => {},
      reconnecting: () => {},
      listening: () => lesson.withMicrophone && uplink.setMuted(true),
      muted: () => uplink.setMuted(false),
      thinking: () => lesson.stopTutor(),
      speaking: () => lesson.stopTutor(),
      // A finger or mouse has been heard going down and up; a click without them is a key or a screen reader.
      push: () => event.detail === 0 && uplink.tap(),
      talking: () => event.detail === 0 && uplink.tap(),
      send: () => event.detail === 0 && uplink.tap(),
    })[purpose(lesson)](),
  }, face);
  const ring = h("div.ring", { "aria-hidden": "true" });
  const element = h("div.orb", {}, ring, h("div.ring.outer", { "aria-hidden": "true" }), button);
  let shown = "";
  let level = 0;
  return {
    element,
    close: listenForTalk(button, uplink),
    update() {
      const next = purpose(lesson);
      element.dataset.state = conversation.state;
      element.dataset.muted = uplink.muted;
      element.dataset.purpose = next;
      const idle = next === STATE.connecting || next === STATE.reconnecting || (next === STATE.idle && !lesson.startable);
      setAttribute(button, "aria-disabled", idle ? "true" : null);
      if (next === shown) return;
      shown = next;
      button.setAttribute("aria-label", t(`talk.button.${next}`));
      face.replaceChildren(icon(PICTURES[next]));
    },
    animate() {
      const speaking = conversation.state === STATE.speaking && !uplink.talking;
      level = Math.max(meter(speaking ? lesson.tutorLevel : lesson.micLevel), level * FALL);
      if (level < 0.004) level = 0;
      element.style.setProperty("--level", level.toFixed(3));
    },
  };
}
