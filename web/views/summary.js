/** What the lesson was, and the way to the next one. */

import { wordsOf } from "../items.js";
import { describe } from "../languages.js";
import { t } from "../strings.js";
import { h, icon } from "./dom.js";
import { seconds } from "./latency.js";
import { report } from "./report.js";

/**
 * Builds the screen.
 *
 * @param {import("../lesson.js").Lesson} lesson
 * @param {{learning: import("../learning.js").Learning, onAgain: () => void, onBack: () => void}} options `onAgain` is
 *   called inside the click
 * @returns {{element: HTMLElement, close: () => void}}
 */
export function summaryView(lesson, { learning, onAgain, onBack }) {
  const { conversation, clock, choice } = lesson;
  const mine = conversation.items.filter((item) => item.role === "user" && item.text);
  const words = mine.reduce((sum, item) => sum + countWords(item.text, choice.language), 0);
  const turns = conversation.summary?.turns ?? mine.length;
  const figures = [
    [clockTime(conversation.summary?.duration_ms ?? 0), t("summary.time")],
    [String(turns), t("summary.turns")],
    [String(words), t("summary.words")],
  ];
  const answers = clock.turns.map((turn) => turn.heardMs).sort((a, b) => a - b);
  if (answers.length > 0) figures.push([seconds(answers[answers.length >> 1]), t("summary.answer")]);
  const told = report({ learning, conversationId: turns > 0 ? conversation.session?.conversation_id ?? "" : "", language: choice.language });
  const element = h("main.summary", { id: "main", data: { view: "summary" } },
    h("div.card", {},
      h("h1", { tabindex: "-1" }, t(turns > 0 ? "summary.title" : "summary.title.short")),
      h("p.note", {}, t("summary.language", { language: describe(choice.language).name, level: choice.level })),
      h("dl.figures", {}, figures.map(([value, label]) => h("div", {}, h("dd", {}, value), h("dt", {}, label)))),
      h("div.row", {},
        h("button.primary", { type: "button", data: { action: "again" }, onclick: onAgain }, icon("microphone"), t("summary.again")),
        h("button.quiet", { type: "button", data: { action: "back" }, onclick: onBack }, t("summary.change"))),
      told.element,
      conversation.shown.length > 0 && transcript(conversation)));
  return { element, close: told.close };
}

function transcript(conversation) {
  const lines = conversation.shown.map((item) => ({ who: t(item.role === "user" ? "talk.you" : "talk.tutor"), text: wordsOf(item) })).filter(({ text }) => text);
  return h("details.transcript", {}, h("summary", {}, t("summary.transcript")),
    h("dl", {}, lines.map(({ who, text }) => [h("dt", {}, who), h("dd", { lang: conversation.language, dir: "auto" }, text)]).flat()));
}

function countWords(text, language) {
  let words = 0;
  for (const { isWordLike } of new Intl.Segmenter(language, { granularity: "word" }).segment(text)) if (isWordLike) words++;
  return words;
}

function clockTime(ms) {
  const total = Math.round(ms / 1000);
  return `${Math.floor(total / 60)}:${String(total % 60).padStart(2, "0")}`;
}
