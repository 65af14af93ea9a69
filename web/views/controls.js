/** The helps below the big button: to mute, to be given time, to be done, to stop the tutor. */

import { STATE } from "../conversation.js";
import { t } from "../strings.js";
import { h, icon, setAttribute, setText } from "./dom.js";

/**
 * Two of them stand in one place, because never both make sense: time to think is the learner's to ask
 * for while they have the word, stopping the tutor is while the tutor has it.
 *
 * @param {import("../lesson.js").Lesson} lesson
 */
export function controls(lesson) {
  const { uplink } = lesson;
  const button = (action, name, label, onclick) =>
    h("button.control", { type: "button", data: { action }, onclick }, h("span.disc", {}, icon(name)), h("span.label", {}, label));
  const mute = button("mute", "microphone", t("talk.mute"), () => uplink.setMuted(!uplink.muted));
  const hold = button("hold", "wait", t("talk.hold"), () => uplink.hold());
  const stop = button("stop", "stop", t("talk.stop"), () => lesson.stopTutor());
  const done = button("done", "tick", t("talk.done"), () => uplink.done());
  const element = h("div.controls", { role: "group", "aria-label": t("talk.controls"), tabindex: "-1" }, mute, hold, stop, done);
  return {
    element,
    update() {
      const { phase, state, turnOpen } = lesson.conversation;
      const live = phase === "live";
      const tutors = state === STATE.speaking || state === STATE.thinking;
      showMute(mute, uplink.muted);
      const byHand = uplink.pushToTalk; // then the big button says all of it
      const focused = document.activeElement;
      mute.disabled = !(live || phase === STATE.reconnecting) || !lesson.withMicrophone; // what is kept is theirs to say
      mute.hidden = byHand;
      hold.disabled = !live;
      hold.hidden = tutors || byHand;
      setAttribute(hold, "aria-pressed", String(uplink.holding));
      stop.hidden = !tutors;
      done.disabled = !live || tutors || !(turnOpen || uplink.holding);
      done.hidden = byHand || !lesson.withMicrophone;
      // The focus of a button that has gone waits beside the others: on one of them, the same key again would act.
      if (element.contains(focused) && (focused.hidden || focused.disabled)) element.focus();
    },
  };
}

function showMute(button, muted) {
  setAttribute(button, "aria-pressed", String(muted));
  if (button.dataset.muted === String(muted)) return;
  button.dataset.muted = muted;
  button.querySelector(".disc").replaceChildren(icon(muted ? "muted" : "microphone"));
  setText(button.querySelector(".label"), t(muted ? "talk.unmute" : "talk.mute"));
}
