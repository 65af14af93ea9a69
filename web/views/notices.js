/** What went wrong, in clear words, with the way on. */

import { ACTION } from "../problems.js";
import { t } from "../strings.js";
import { h, icon, setText } from "./dom.js";

const WITHOUT_MICROPHONE = new Set(["microphone-denied", "microphone-absent", "microphone-busy", "microphone-failed"]);

/** What is not as it should be in a lesson that goes on. */
export function noticeList(lesson) {
  const element = h("div.notices", { role: "status", data: { hook: "notices" } });
  let shown = "";
  return {
    element,
    update() {
      const kinds = [...lesson.notices.keys()].join();
      if (kinds === shown) return;
      shown = kinds;
      element.replaceChildren(...[...lesson.notices].map(([kind, detail]) => h("p.notice", { data: { notice: kind } },
        icon("warning"),
        h("span", {}, t(`notice.${kind}`), kind === "error" && detail ? ` ${detail}` : ""),
        h("button.quiet.round", {
          type: "button", "aria-label": t("action.dismiss"), onclick: () => lesson.dismiss(kind),
        }, icon("end")))));
    },
  };
}

/**
 * Why nobody is talking, and what to do about it.
 *
 * @param {import("../lesson.js").Lesson} lesson
 * @param {(account: boolean) => void} onBack
 */
export function problemCard(lesson, onBack) {
  const element = h("section.problem", { hidden: true, role: "alert" });
  let shown = null;
  let countdown = 0;
  return {
    element,
    update() {
      if (lesson.problem === shown) return;
      shown = lesson.problem;
      clearInterval(countdown);
      element.hidden = !shown;
      if (!shown) {
        element.replaceChildren();
        delete element.dataset.problem;
        return;
      }
      const buttons = buttonsFor(lesson, onBack);
      element.dataset.problem = shown.kind;
      element.replaceChildren(
        h("span.problem-icon", {}, icon(shown.kind.startsWith("microphone") ? "muted" : "warning")),
        h("h2", {}, t(`problem.${shown.kind}.title`)),
        h("p", {}, shown.detail || t(`problem.${shown.kind}.body`)),
        h("div.row", {}, buttons));
      if (shown.waitSeconds) countdown = wait(buttons[0], shown.waitSeconds);
      else buttons[0].focus({ preventScroll: true });
    },
  };
}

function buttonsFor(lesson, onBack) {
  const { kind, action } = lesson.problem;
  const again = (name) => h("button.primary", {
    type: "button", data: { action: name }, onclick: () => lesson.start({ microphone: lesson.withMicrophone }),
  }, t(`action.${name}`));
  const buttons = [];
  if (action === ACTION.retry || action === ACTION.proceed) buttons.push(again(action));
  if (action === ACTION.signIn) {
    buttons.push(h("button.primary", { type: "button", data: { action: "sign-in" }, onclick: () => onBack(true) }, t("action.sign-in")));
  }
  if (WITHOUT_MICROPHONE.has(kind)) {
    buttons.push(h("button.secondary", {
      type: "button", data: { action: "type" }, onclick: () => lesson.start({ microphone: false }),
    }, t("action.type")));
  }
  buttons.push(h(buttons.length > 0 ? "button.quiet" : "button.primary",
    { type: "button", data: { action: "back" }, onclick: () => onBack(false) }, t("action.back")));
  return buttons;
}

/** Holds a button back for some seconds, counting down on it. */
function wait(button, seconds) {
  const label = button.textContent;
  const until = performance.now() + seconds * 1000;
  const show = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    button.disabled = left > 0;
    setText(button, left > 0 ? t("action.wait", { seconds: left }) : label);
    if (left <= 0) clearInterval(timer);
  };
  const timer = setInterval(show, 250);
  show();
  return timer;
}
