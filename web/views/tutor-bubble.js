/** What the tutor says: its words appear as they are heard, and can be had in the learner's own language. */

import { t } from "../strings.js";
import { h, icon, setAttribute, setText } from "./dom.js";

/**
 * @param {object} item
 * @param {import("../lesson.js").Lesson} lesson
 */
export function tutorBubble(item, lesson) {
  const words = h("p.words", { lang: lesson.choice.language, dir: "auto" });
  const own = translation(item, lesson.teaching);
  const element = h("li.bubble.tutor", { data: { role: "assistant" } }, h("div.who", {}, h("span", {}, t("talk.tutor")), own.button), words, own.element);
  const bubble = {
    element,
    spans: [],
    update() {
      Object.assign(element.dataset, { itemId: item.id, final: item.complete, truncated: item.heard !== null });
      if (item.heard !== null) truncate(words, item);
      else reconcile(words, bubble.spans, item.track.words);
      const said = item.complete ? Infinity : -1;
      bubble.animate = item.complete ? null : () => reveal(lesson.player?.heardMs(item.stream) ?? -1);
      reveal(said);
      own.update();
    },
    animate: null,
  };
  const reveal = (ms) => {
    if (item.heard === null) {
      const spoken = ms === Infinity ? bubble.spans.length : ms < 0 ? 0 : item.track.spokenAt(ms);
      bubble.spans.forEach((span, i) => { if (i < spoken && span.hidden) span.hidden = false; });
    }
    const failed = item.complete && item.failed && item.track.text === "";
    if (failed) setText(words, t("talk.noanswer"));
    element.hidden = !failed && item.heard === null && !bubble.spans.some((span) => !span.hidden);
  };
  return bubble;
}

/** The bubble's words in the learner's own language, with the button that shows and hides them. */
function translation(item, teaching) {
  const button = h("button.mini", {
    type: "button", hidden: true, data: { action: "translate-item" }, onclick: () => teaching.translate(item),
  }, icon("translate"));
  const text = h("span", { dir: "auto" });
  const element = h("p.translation", { hidden: true }, text);
  return {
    button,
    element,
    update() {
      const { translation: own } = item;
      const shown = own?.open ?? false;
      const label = t(shown ? "translate.hide" : "translate.show");
      button.hidden = !item.complete || (item.heard ?? item.track.text) === "";
      setAttribute(button, "aria-label", label);
      setAttribute(button, "title", label);
      setAttribute(button, "aria-expanded", String(shown));
      setAttribute(button, "aria-busy", teaching.awaits("tutor.translate", item) ? "true" : null);
      element.hidden = !shown;
      if (!own) return;
      text.lang = own.language;
      setText(text, own.text);
    },
  };
}

/** Makes one span for each word, keeping those that are shown already. */
function reconcile(words, spans, track) {
  track.forEach(({ text }, i) => {
    if (spans[i]) {
      setText(spans[i], text);
      return;
    }
    spans[i] = h("span.word", { hidden: true }, text);
    words.append(spans[i]);
  });
  spans.splice(track.length).forEach((span) => span.remove());
}

/** Shows what was heard, and the rest crossed out. */
function truncate(words, { heard, track }) {
  const whole = track.text;
  let rest = "";
  if (whole.startsWith(heard)) {
    rest = whole.slice(heard.length);
  } else {
    const spoken = heard.trim().split(/\s+/).filter(Boolean).length;
    rest = whole.trim().split(/(?<=\s)(?=\S)/).slice(spoken).join("");
  }
  const parts = [h("span.heard", {}, heard)];
  if (rest.trim()) {
    parts.push(" ", h("span.visually-hidden", {}, t("talk.unheard")), h("s.unheard", {}, rest.trim()));
  }
  words.replaceChildren(...parts);
}
