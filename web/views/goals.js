/** The situation that is played, and which of its goals are reached. */

import { t } from "../strings.js";
import { h, icon, setText } from "./dom.js";
import { textIn } from "./scenarios.js";

const NARROW = "(max-width: 820px)"; // as in the style sheets: there is little room above the captions

/** @param {import("../lesson.js").Lesson} lesson */
export function goalsPanel({ choice: { scenario }, teaching }) {
  if (!scenario) return { element: h("div", { hidden: true }) };
  const { title, situation, learner_role: mine, tutor_role: tutors, goals, topic } = scenario;
  const count = h("span.latest", { data: { hook: "goals" } });
  const marks = new Map();
  const list = h("ul.goals", {}, goals.map(({ id, text }) => {
    const mark = h("li", { data: { goal: id, met: "false" } }, icon("ring"), h("span.visually-hidden"), textIn("span", text));
    marks.set(id, mark);
    return mark;
  }));
  const element = h("details.panel.scene-panel", { open: !matchMedia(NARROW).matches },
    h("summary", {}, icon("flag"), textIn("span", title), count),
    h("div.panel-body", {}, textIn("p", situation),
      topic !== "talk" && h("p.note", {}, `${t("goals.you")} `, textIn("span", mine), ` · ${t("goals.tutor")} `, textIn("span", tutors)), list));
  let shown = -1;
  return {
    element,
    update() {
      if (teaching.met.size === shown) return;
      shown = teaching.met.size;
      setText(count, t("goals.count", { met: shown, all: goals.length }));
      for (const [id, mark] of marks) {
        const met = teaching.met.has(id);
        if (mark.dataset.met === String(met)) continue;
        mark.dataset.met = met;
        mark.replaceChild(icon(met ? "tick" : "ring"), mark.firstChild);
        setText(mark.querySelector(".visually-hidden"), met ? t("goals.met") : "");
      }
    },
  };
}

/** The goals of a lesson that is over, with the learner's words that reached them. */
export function goalsReached(goals, language) {
  return h("div", { data: { hook: "goals-reached" } }, h("h2", {}, t("goals.title")),
    h("ul.goals", {}, goals.map(({ id, text, met, quote }) => h("li", { data: { goal: id, met } },
      icon(met ? "tick" : "ring"), met && h("span.visually-hidden", {}, t("goals.met")),
      h("span", {}, textIn("span", text), quote && [" ", h("q.note", { lang: language, dir: "auto" }, quote)])))));
}
