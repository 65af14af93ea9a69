/** What both sides say, as bubbles. */

import { t } from "../strings.js";
import { h } from "./dom.js";
import { learnerBubble } from "./learner-bubble.js";
import { tutorBubble } from "./tutor-bubble.js";

const NEAR_THE_END = 120; // pixels: whoever has scrolled further up is reading, and stays there

/**
 * @param {import("../lesson.js").Lesson} lesson
 * @param {import("../learning.js").Learning} learning
 */
export function captionsPanel(lesson, learning) {
  const { conversation, teaching } = lesson;
  const list = h("ol.bubbles", { "aria-label": t("talk.captions") });
  const empty = h("p.empty", {}, t("talk.empty"));
  const voice = h("div.visually-hidden", { "aria-live": "polite", data: { hook: "announcer" } });
  const element = h("section.captions", { tabindex: "0", "aria-label": t("talk.captions") }, empty, list, voice);
  const bubbles = new Map();

  conversation.addEventListener("say", ({ detail: { role, text } }) => {
    voice.replaceChildren(h("p", { lang: conversation.language }, `${t(role === "user" ? "talk.you" : "talk.tutor")}: ${text}`));
  });
  teaching.addEventListener("tell", ({ detail }) => voice.replaceChildren(...told(detail, conversation.language)));
  let atEnd = true;
  element.addEventListener("scroll", () => { atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_THE_END; });
  new ResizeObserver(() => { if (atEnd) element.scrollTop = element.scrollHeight; }).observe(element);
  const follow = (change) => {
    change();
    if (atEnd) element.scrollTop = element.scrollHeight;
  };
  const place = (item, i) => {
    let bubble = bubbles.get(item.key);
    if (!bubble) {
      bubble = item.role === "user" ? learnerBubble(item, lesson, learning) : tutorBubble(item, lesson);
      bubbles.set(item.key, bubble);
    }
    if (list.children[i] !== bubble.element) list.insertBefore(bubble.element, list.children[i] ?? null);
    bubble.element.classList.toggle("repeated", item.id !== "" && item.id === teaching.repeated);
    if (bubble.version === item.version && bubble.phase === conversation.phase) return;
    bubble.version = item.version;
    bubble.phase = conversation.phase;
    bubble.update();
  };
  const clean = (shown) => {
    const known = new Set(shown.map((item) => item.key));
    for (const [key, bubble] of bubbles) {
      if (known.has(key)) continue;
      bubble.element.remove();
      bubbles.delete(key);
    }
  };
  return {
    element,
    update() {
      const { shown, phase } = conversation;
      follow(() => {
        clean(shown);
        shown.forEach(place);
        empty.hidden = shown.length > 0 || phase !== "live";
      });
    },
    animate() {
      const moving = [...bubbles.values()].filter((bubble) => bubble.animate);
      if (moving.length > 0) follow(() => moving.forEach((bubble) => bubble.animate()));
    },
  };
}

/** What a screen reader says of what has come beside the talk. */
function told({ translation, corrections = [] }, language) {
  if (translation) return [h("p", { lang: translation.language }, translation.text)];
  return [h("p", {}, t("feedback.told")), ...corrections.map(({ original, corrected }) => h("p", {},
    h("span", { lang: language }, original), ` ${t("feedback.better")} `, h("span", { lang: language }, corrected)))];
}
