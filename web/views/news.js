/** What has come of the talk just now: a card that was made, a goal that was reached. */

import { t } from "../strings.js";
import { h, icon } from "./dom.js";
import { textIn } from "./scenarios.js";

/** @param {import("../lesson.js").Lesson} lesson */
export function newsList({ teaching, choice }) {
  const element = h("div.news", { role: "status", data: { hook: "news" } });
  let shown = null;
  return {
    element,
    update() {
      if (teaching.news === shown) return;
      shown = teaching.news;
      element.replaceChildren(...shown.map(({ about, text, texts }) => h("p.notice", { data: { news: about } },
        icon(about === "card" ? "cards" : "tick"),
        h("span", {}, `${t(`news.${about}`)} `, texts ? textIn("b", texts) : h("b", { lang: choice.language, dir: "auto" }, text)))));
    },
  };
}
