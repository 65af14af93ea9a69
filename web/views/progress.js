/** What has become of the learner: figures, streak and charts over the last days. */

import { describe } from "../languages.js";
import { pageLanguage, t } from "../strings.js";
import { chart } from "./chart.js";
import { choice, h, setText } from "./dom.js";
import { streakCard } from "./streak.js";

const SPANS = Object.freeze([14, 30, 90, 365]);
const COMMON_ERRORS = 8;

const percent = (share) => `${Math.round(share * 100)} %`;
const minutes = (value) => t("progress.minutes.value", { minutes: value.toLocaleString(pageLanguage, { maximumFractionDigits: 1 }) });
const count = (value) => Math.round(value).toLocaleString(pageLanguage);

/**
 * Builds the screen.
 *
 * @param {{learning: import("../learning.js").Learning, onBack: () => void, onReview: () => void}} options
 * @returns {{element: HTMLElement, close: () => void}}
 */
export function progressView({ learning, onBack, onReview }) {
  const body = h("div.charts", { "aria-live": "polite", "aria-busy": "true" });
  const chosen = { days: 30, profile: "" };
  let charts = [];
  let asked = 0;

  const close = () => {
    asked++;
    for (const one of charts) one.close();
    charts = [];
  };
  const load = async () => {
    close();
    const mine = asked;
    setBusy(body, true);
    try {
      const data = await learning.progress(chosen.days, chosen.profile);
      if (mine !== asked) return;
      charts = [];
      body.replaceChildren(...content(data, charts, onReview));
    } catch {
      if (mine === asked) body.replaceChildren(failed(load));
    }
    setBusy(body, false);
  };
  const span = choice("progress-span", t("progress.span"), SPANS.map((days) => [String(days), t("progress.days", { days })]), "30", (value) => {
    chosen.days = Number(value);
    load();
  });
  const profiles = h("div", { hidden: true });
  learning.profiles().then((all) => {
    if (all.length < 2) return;
    profiles.hidden = false;
    profiles.append(choice("progress-profile", t("progress.language"),
      [["", t("progress.language.all")], ...all.map(({ id, target_language: code }) => [id, describe(code).name])], "", (value) => {
        chosen.profile = value;
        load();
      }));
  }, () => {}); // the same trouble shows below
  const element = h("main.progress", { id: "main", data: { view: "progress" } },
    h("div.head", {}, h("h1", { tabindex: "-1" }, t("progress.title")),
      h("div.row", {}, profiles, span, h("button.quiet", { type: "button", data: { action: "back" }, onclick: onBack }, t("action.back")))),
    body);
  load();
  return { element, close };
}

function setBusy(element, busy) {
  element.setAttribute("aria-busy", String(busy));
}

function failed(onRetry) {
  return h("div.card.failed", { role: "alert" }, h("p", {}, t("progress.failed")),
    h("button.secondary", { type: "button", data: { action: "retry" }, onclick: onRetry }, t("action.retry")));
}

function content({ overview, timeline, vocabulary, fluency, errors, streak }, charts, onReview) {
  const days = timeline.days.map(({ day }) => day);
  const of = (list, read) => list.map((entry) => read(entry) ?? null);
  const add = (options) => {
    const one = chart({ days, ...options });
    charts.push(one);
    return one.element;
  };
  return [
    figures(overview, onReview),
    streakCard(streak),
    add({ name: "minutes", title: t("progress.minutes"), note: t("progress.minutes.note"), show: minutes,
      series: [{ label: t("progress.minutes"), color: "accent", bars: true, values: of(timeline.days, (d) => d.speaking_seconds / 60) }] }),
    add({ name: "vocabulary", title: t("progress.vocabulary"), show: count,
      series: [{ label: t("progress.vocabulary"), color: "think", values: of(vocabulary.days, (d) => d.total) }] }),
    add({ name: "retention", title: t("progress.retention"), note: t("progress.retention.note"), show: percent, range: [0, 1],
      series: [{ label: t("progress.retention"), color: "accent", values: of(vocabulary.days, (d) => d.retention) }] }),
    add({ name: "fluency", title: t("progress.fluency"), note: t("progress.fluency.note"), show: count,
      series: [
        { label: t("progress.fluency.articulation"), color: "accent", values: of(fluency.days, (d) => d.articulation_wpm) },
        { label: t("progress.fluency.rate"), color: "warm", values: of(fluency.days, (d) => d.words_per_minute) },
      ] }),
    errorCard(errors),
  ];
}

function figures(overview, onReview) {
  const due = overview.vocabulary.due;
  const list = [
    [minutes(overview.speaking_seconds / 60), t("progress.minutes")],
    [count(overview.active_days), t("progress.active-days")],
    [count(overview.vocabulary.total), t("progress.words")],
    [count(overview.vocabulary.mastered), t("progress.mastered")],
    [overview.retention === null ? "–" : percent(overview.retention), t("progress.retention")],
  ];
  const note = h("p.note");
  setText(note, t(due === 1 ? "progress.due.one" : "progress.due", { due }));
  return h("section.card.overview", { data: { chart: "overview" } },
    h("dl.figures", {}, list.map(([value, label]) => h("div", {}, h("dd", {}, value), h("dt", {}, label)))),
    due > 0 && h("div.row", {}, note, h("button.primary", { type: "button", data: { action: "review" }, onclick: onReview }, t("review.start"))));
}

/** Which mistakes are the most frequent, and how many of them were mended. */
function errorCard({ categories, per_100_words: per100 }) {
  const most = Math.max(1, ...categories.map((category) => category.count));
  const bar = ({ category, count: n, repaired }) => h("li", {},
    h("span.kind", {}, t(`error.${category}`)),
    h("meter", { min: "0", max: String(most), value: String(n), "aria-label": t(`error.${category}`) }),
    h("span.many", {}, t("progress.errors.value", { count: n, repaired })));
  return h("section.card.chart", { data: { chart: "errors" } },
    h("h2", {}, t("progress.errors")),
    per100 !== null && h("p.note", {}, t("progress.errors.rate", { rate: per100.toLocaleString(pageLanguage) })),
    categories.length === 0 ? h("p.empty", {}, t("progress.errors.none"))
      : h("ul.bars", {}, categories.slice(0, COMMON_ERRORS).map(bar)),
    h("p.note", {}, t("progress.errors.honest")));
}
