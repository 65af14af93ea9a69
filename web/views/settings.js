/** How the learner and the tutor take turns, how long the tutor waits, and how fast it speaks. */

import { SOUND } from "../manner.js";
import { t } from "../strings.js";
import { h, icon, setAttribute, setText } from "./dom.js";

/** How long the learner's own choice stands while the server has not confirmed it, ms. */
const CONFIRM_MS = 5000;

/** @param {import("../lesson.js").Lesson} lesson */
export function settingsPanel(lesson) {
  const patience = slider({
    id: "patience", label: t("settings.patience"), min: 800, max: 4000, step: 100, value: 1500,
    show: (ms) => t("settings.patience.value", { seconds: (ms / 1000).toFixed(1) }),
    onChange: (ms) => lesson.set({ patience_ms: ms }),
  });
  const rate = slider({
    id: "rate", label: t("settings.rate"), min: 70, max: 120, step: 5, value: 100,
    show: (percent) => t("settings.rate.value", { percent }),
    onChange: (percent) => lesson.set({ speech_rate: percent / 100 }),
  });
  const push = pushToTalkSwitch(lesson);
  const sound = soundChoice(lesson);
  const element = h("details.panel.settings", { name: "extras" },
    h("summary", {}, icon("tune"), h("span", {}, t("settings.title"))),
    h("div.panel-body", {}, patience.element, rate.element, push.element, sound.element));
  patience.element.append(h("p.note", {}, t("settings.patience.note")));
  return {
    element,
    update() {
      const { session, phase } = lesson.conversation;
      const live = phase === "live";
      patience.element.hidden = lesson.uplink.pushToTalk;
      for (const choice of [push, sound]) choice.update();
      patience.take(session?.audio?.input?.turn_detection?.patience_ms, live);
      rate.take(session?.audio?.output?.speed ? Math.round(session.audio.output.speed * 100) : undefined, live);
    },
  };
}

function pushToTalkSwitch(lesson) {
  const input = h("input", {
    type: "checkbox", id: "push", "aria-describedby": "push-note", onchange: () => lesson.uplink.setPushToTalk(input.checked),
  });
  return {
    element: h("div.field", {},
      h("label.check", { for: "push" }, input, t("settings.push")), h("p.note", { id: "push-note" }, t("settings.push.note"))),
    update() {
      input.checked = lesson.uplink.manner.pushToTalk;
      input.disabled = !lesson.withMicrophone;
    },
  };
}

function soundChoice(lesson) {
  const select = h("select", { id: "sound", onchange: () => lesson.uplink.setSound(select.value) },
    Object.values(SOUND).map((value) => h("option", { value }, t(`settings.sound.${value}`))));
  return {
    element: h("div.field", {}, h("label", { for: "sound" }, t("settings.sound")), select),
    update() {
      select.value = lesson.uplink.manner.sound;
      select.disabled = !lesson.withMicrophone;
    },
  };
}

function slider({ id, label, min, max, step, value, show, onChange }) {
  const output = h("output", { for: id }, show(value));
  const input = h("input", { type: "range", id, min, max, step, value });
  let held = false; // the learner is moving it: the server's value waits
  // What the learner chose last, until the server confirms it: the answers to the steps
  // on the way there come later than the next key press, and must not undo it.
  let asked = null;
  input.addEventListener("input", () => {
    held = true;
    setText(output, show(input.valueAsNumber));
    setAttribute(input, "aria-valuetext", output.textContent);
  });
  input.addEventListener("change", () => {
    held = false;
    asked = { value: input.valueAsNumber, at: performance.now() };
    onChange(asked.value);
  });
  return {
    element: h("div.field", {}, h("div.slider-head", {}, h("label", { for: id }, label), output), input),
    take(known, live) {
      input.disabled = !live;
      if (held || known === undefined) return;
      if (asked && known !== asked.value && performance.now() - asked.at < CONFIRM_MS) return;
      asked = null;
      if (String(known) === input.dataset.known) return;
      input.dataset.known = known;
      input.value = known;
      setText(output, show(input.valueAsNumber));
      setAttribute(input, "aria-valuetext", output.textContent);
    },
  };
}
