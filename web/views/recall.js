/** The card that is asked in a review by voice, and what came of the one before. */

import { t } from "../strings.js";
import { interval } from "./interval.js";
import { h, icon, setAttribute } from "./dom.js";

const RATINGS = Object.freeze(["again", "hard", "good", "easy"]);

/** @param {import("../lesson.js").Lesson} lesson */
export function recallPanel(lesson) {
  const { recall } = lesson;
  if (!recall) return { element: h("div", { hidden: true }) };
  const asked = h("div.asked", { "aria-live": "polite" });
  const before = h("div.before", { "aria-live": "polite" });
  const element = h("section.card.recall", { "aria-label": t("recall.title") }, asked, before);
  let shown = null;
  let result = null;
  return {
    element,
    update() {
      const state = recall.over ?? recall.card;
      if (state !== shown) {
        shown = state;
        element.dataset.card = recall.card?.id ?? "";
        element.dataset.over = recall.over !== null;
        asked.replaceChildren(...question(lesson));
      }
      if (recall.result !== result) {
        result = recall.result;
        before.replaceChildren(...outcome(recall));
      }
      for (const button of asked.querySelectorAll("button[data-action=unknown]")) button.disabled = lesson.conversation.phase !== "live";
    },
  };
}

function question(lesson) {
  const { recall } = lesson;
  if (recall.over) {
    return [h("p.front", {}, t(recall.totals.done > 0 ? "review.over" : "review.nothing")),
      h("button.primary", { type: "button", data: { action: "recall-end" }, onclick: () => lesson.end() }, icon("tick"), t("recall.end"))];
  }
  const { card, left } = recall;
  if (!card) return [h("p.note", {}, t("review.loading"))];
  return [
    h("p.note", {}, t(`review.ask.${card.kind}`), left > 0 && ` · ${t("review.left", { left: left + 1 })}`),
    h("p.front", { dir: "auto" }, card.front),
    h("button.quiet", { type: "button", data: { action: "unknown" }, onclick: () => recall.rate(card.id, 1) }, t("recall.unknown")),
  ];
}

function outcome(recall) {
  const { card_id: id, rating, right, heard, answer, context, due_at: due, mode } = recall.result;
  const { language } = recall.lesson.choice;
  const learned = { lang: language, dir: "auto" };
  const seconds = Math.max(60, (Date.parse(due) - Date.now()) / 1000);
  return [
    h("p.verdict", { data: { right } }, icon(right ? "tick" : "end"), h("b", learned, answer),
      h("span.note", {}, mode === "spoken" && heard && !right ? [`${t("recall.heard")} `, h("q", learned, heard)] : "")),
    context && h("p.note", learned, context),
    h("div.ratings", { role: "group", "aria-label": t("recall.rated") }, RATINGS.map((name, i) => {
      const button = h("button.secondary", { type: "button", data: { rating: String(i + 1) }, onclick: () => recall.rate(id, i + 1) },
        h("span.name", {}, t(`review.rating.${name}`)), rating === i + 1 && h("span.when", {}, interval(seconds)));
      setAttribute(button, "aria-pressed", String(rating === i + 1));
      return button;
    })),
  ].filter(Boolean);
}
