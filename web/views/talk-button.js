/** The one big button, with the level meter around it. */

import { STATE } from "../conversation.js";
import { t } from "../strings.js";
import { h, icon, setAttribute } from "./dom.js";

const FALL = 0.85; // how much of the level stays from one picture to the next

/** A loudness as the ear takes it: 0 for silence, 1 for a loud voice. */
function meter(rms) {
  const decibels = 20 * Math.log10(Math.max(rms, 1e-5));
  return Math.max(0, Math.min(1, (decibels + 52) / 42));
}

function purpose(lesson) {
  const { conversation } = lesson;
  if (lesson.suspended && conversation.phase === "live") return "suspended";
  if (conversation.state === STATE.listening) return lesson.muted ? "muted" : "listening";
  return conversation.state === STATE.ended ? STATE.idle : conversation.state;
}

const PICTURES = Object.freeze({
  suspended: "play", listening: "microphone", muted: "muted", idle: "microphone", connecting: "wave",
  thinking: "stop", speaking: "stop",
});

/** @param {import("../lesson.js").Lesson} lesson */
export function talkButton(lesson) {
  const { conversation } = lesson;
  const face = h("span.face");
  const button = h("button.talk-button", {
    type: "button", id: "talk-button", data: { action: "talk" },
    onclick: () => ({
      suspended: () => lesson.resumeSound(),
      idle: () => lesson.startable && lesson.start({ microphone: lesson.withMicrophone }),
      connecting: () => {},
      listening: () => lesson.withMicrophone && lesson.setMuted(true),
      muted: () => lesson.setMuted(false),
      thinking: () => lesson.stopTutor(),
      speaking: () => lesson.stopTutor(),
    })[purpose(lesson)](),
  }, face);
  const ring = h("div.ring", { "aria-hidden": "true" });
  const element = h("div.orb", {}, ring, h("div.ring.outer", { "aria-hidden": "true" }), button);
  let shown = "";
  let level = 0;
  return {
    element,
    update() {
      const next = purpose(lesson);
      element.dataset.state = conversation.state;
      element.dataset.muted = lesson.muted;
      const idle = next === STATE.connecting || (next === STATE.idle && !lesson.startable);
      setAttribute(button, "aria-disabled", idle ? "true" : null);
      if (next === shown) return;
      shown = next;
      button.setAttribute("aria-label", t(`talk.button.${next}`));
      face.replaceChildren(icon(PICTURES[next]));
    },
    animate() {
      const speaking = conversation.state === STATE.speaking;
      level = Math.max(meter(speaking ? lesson.tutorLevel : lesson.micLevel), level * FALL);
      if (level < 0.004) level = 0;
      element.style.setProperty("--level", level.toFixed(3));
    },
  };
}
