/** Choosing a situation to play, before the talk. */

import { LEVELS, describe } from "../languages.js";
import { requestProblem } from "../problems.js";
import { pageLanguage, t } from "../strings.js";
import { choice as select, h, icon, setText } from "./dom.js";

const TOPICS = Object.freeze(["everyday", "work", "study", "talk"]);

/**
 * A text that comes in several languages, as attributes and text for {@link h}.
 *
 * @param {Record<string, string>} texts by language; English is always there
 * @returns {{lang: string, text: string}}
 */
export function inPageLanguage(texts) {
  const lang = pageLanguage in texts ? pageLanguage : "en";
  return { lang, text: texts[lang] };
}

/** An element with such a text. */
export function textIn(tag, texts) {
  const { lang, text } = inPageLanguage(texts);
  return h(tag, { lang }, text);
}

/**
 * Builds the screen.
 *
 * @param {{
 *   learning: import("../learning.js").Learning, choice: {language: string, level: string, native: string},
 *   onStart: (scenario: object | null) => void, onBack: () => void,
 * }} options `onStart` is called inside the click; null is free talk
 * @returns {{element: HTMLElement, close: () => void}}
 */
export function scenariosView({ learning, choice, onStart, onBack }) {
  const filter = { level: choice.level, topic: "" };
  const list = h("ul.scenes", { "aria-label": t("scenes.title") });
  const status = h("p.note", { role: "status", data: { hook: "scenes-status" } });
  let all = [];
  let closed = false;

  const show = () => {
    const fits = all.filter(({ topic, level_min: from, level_max: to }) =>
      (!filter.topic || topic === filter.topic) && (!filter.level || (from <= filter.level && filter.level <= to)));
    list.replaceChildren(...fits.map((scenario) => sceneCard(scenario, () => onStart(scenario))));
    setText(status, fits.length > 0 ? "" : t("scenes.none"));
  };
  const load = async () => {
    setText(status, t("scenes.loading"));
    try {
      all = await learning.scenarios(choice.native);
      if (!closed) show();
    } catch (error) {
      const problem = requestProblem(error);
      if (!closed) setText(status, problem.kind === "guests-off" ? t("problem.guests-off.body") : t("scenes.failed"));
    }
  };
  const topic = select("scenes-topic", t("scenes.topic"), [["", t("scenes.topic.all")], ...TOPICS.map((name) => [name, t(`scenes.topic.${name}`)])], "", (value) => {
    filter.topic = value;
    show();
  });
  const level = select("scenes-level", t("welcome.level"), [["", t("scenes.level.all")], ...LEVELS.map((name) => [name, name])], choice.level, (value) => {
    filter.level = value;
    show();
  });
  load();
  return {
    element: h("main.vocabulary", { id: "main", data: { view: "scenarios" } },
      h("div.head", {}, h("h1", { tabindex: "-1" }, t("scenes.title")),
        h("button.quiet", { type: "button", data: { action: "back" }, onclick: onBack }, t("action.back"))),
      h("p.note", {}, t("scenes.note", { language: describe(choice.language).name, level: choice.level })),
      h("div.filters", {}, topic, level,
        h("button.secondary", { type: "button", data: { action: "free" }, onclick: () => onStart(null) }, icon("microphone"), t("scenes.free"))),
      status, list),
    close() {
      closed = true;
    },
  };
}

function sceneCard(scenario, onStart) {
  const { id, title, situation, goals, level_min: from, level_max: to, topic } = scenario;
  const heading = `scene-${id}`;
  const name = textIn("h2", title);
  name.id = heading;
  return h("li.card.scene", { data: { scenario: id } }, name,
    textIn("p", situation),
    h("details", {}, h("summary", {}, t("scenes.goals", { count: goals.length })), h("ul.plain-list", {}, goals.map((goal) => textIn("li", goal.text)))),
    h("div.row", {}, h("span.tag", {}, from === to ? from : `${from}–${to}`), h("span.tag", {}, t(`scenes.topic.${topic}`)),
      h("button.primary", { type: "button", data: { action: "play" }, "aria-describedby": heading, onclick: onStart }, icon("microphone"), t("scenes.play"))));
}
