/** The level that the conversations speak for: a suggestion, which the learner accepts or declines. */

import { describe } from "../languages.js";
import { pageLanguage, t } from "../strings.js";
import { trouble } from "./card-form.js";
import { h, setText } from "./dom.js";

/**
 * @param {{memories: import("../memories.js").Memories, profile: {id: string, target_language: string}}} options
 * @returns {HTMLElement} empty as long as there is nothing to say
 */
export function levelCard({ memories, profile }) {
  const element = h("section.card.level-card", { hidden: true, data: { level: profile.id } });
  const show = (standing) => {
    element.hidden = false;
    element.replaceChildren(...face(standing));
  };
  const face = ({ cefr_level: level, estimate, words, words_needed: enough, sessions, sessions_needed: often }) => {
    const title = h("h2", { tabindex: "-1" }, t("level.title", { language: describe(profile.target_language).name, level }));
    if (!estimate) {
      return [title, h("p.note", {}, t("level.early", { words, enough, sessions, often }))];
    }
    const { id, low, high, level: likely, status } = estimate;
    const range = low === high ? low : `${low}–${high}`;
    const message = h("p.form-error", { role: "alert" });
    const decide = (decision) => async () => {
      try {
        show(await memories.decide(profile.id, id, decision));
        element.querySelector("h2").focus();
      } catch (error) {
        setText(message, trouble(error));
      }
    };
    return [title, h("p", {}, t("level.range", { range })), evidence(estimate.evidence),
      status === "suggested" && likely !== level && h("div.row", {}, h("p", {}, t("level.suggest", { level: likely })),
        h("button.primary", { type: "button", data: { action: "level-accept" }, onclick: decide("accept") }, t("level.accept", { level: likely })),
        h("button.quiet", { type: "button", data: { action: "level-reject" }, onclick: decide("reject") }, t("level.reject", { level }))),
      status !== "suggested" && h("p.note", {}, t(`level.${status}`)), message].filter(Boolean);
  };
  memories.level(profile.id).then(show, () => {}); // a server that knows no levels has none to show
  return element;
}

/** What the estimate rests on. */
function evidence({ sessions, words, measures }) {
  const number = (name, value) => value.toLocaleString(pageLanguage, name.includes("share")
    ? { style: "percent" } : { maximumFractionDigits: 1 });
  return h("details", {}, h("summary", {}, t("level.why", { sessions, words })),
    h("dl.measures", {}, measures.map(({ name, value, points_to: points }) => h("div", {},
      h("dt", {}, t(`measure.${name}`)), h("dd", {}, `${number(name, value)} → ${points}`)))),
    h("p.note", {}, t("level.honest")));
}
