/** What both sides say, as bubbles; the tutor's words appear as they are heard. */

import { t } from "../strings.js";
import { h, icon, setText } from "./dom.js";

const NEAR_THE_END = 120; // pixels: whoever has scrolled further up is reading, and stays there

/** @param {import("../lesson.js").Lesson} lesson */
export function captionsPanel(lesson) {
  const { conversation } = lesson;
  const list = h("ol.bubbles", { "aria-label": t("talk.captions") });
  const empty = h("p.empty", {}, t("talk.empty"));
  const voice = h("div.visually-hidden", { "aria-live": "polite", data: { hook: "announcer" } });
  const element = h("section.captions", { tabindex: "0", "aria-label": t("talk.captions") }, empty, list, voice);
  const bubbles = new Map();

  conversation.addEventListener("say", ({ detail: { role, text } }) => {
    voice.replaceChildren(h("p", { lang: conversation.language }, `${t(role === "user" ? "talk.you" : "talk.tutor")}: ${text}`));
  });
  let atEnd = true;
  element.addEventListener("scroll", () => { atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_THE_END; });
  new ResizeObserver(() => { if (atEnd) element.scrollTop = element.scrollHeight; }).observe(element);
  const follow = (change) => {
    change();
    if (atEnd) element.scrollTop = element.scrollHeight;
  };
  const place = (item) => {
    let bubble = bubbles.get(item.key);
    if (!bubble) {
      bubble = (item.role === "user" ? learnerBubble : tutorBubble)(item, lesson);
      bubbles.set(item.key, bubble);
      list.append(bubble.element);
    }
    if (bubble.version === item.version) return;
    bubble.version = item.version;
    bubble.update();
  };
  const clean = () => {
    const known = new Set(conversation.items.map((item) => item.key));
    for (const [key, bubble] of bubbles) {
      if (known.has(key)) continue;
      bubble.element.remove();
      bubbles.delete(key);
    }
  };
  return {
    element,
    update() {
      follow(() => {
        conversation.items.forEach(place);
        clean();
        empty.hidden = conversation.items.length > 0 || conversation.phase !== "live";
      });
    },
    animate() {
      const moving = [...bubbles.values()].filter((bubble) => bubble.animate);
      if (moving.length > 0) follow(() => moving.forEach((bubble) => bubble.animate()));
    },
  };
}

function learnerBubble(item, lesson) {
  const words = h("p.words", { lang: lesson.choice.language, dir: "auto" });
  const tick = h("span.tick", { hidden: true, role: "img", "aria-label": t("talk.saved"), title: t("talk.saved") }, icon("tick"));
  const element = h("li.bubble.you", { data: { role: "user" } }, h("span.who", {}, t("talk.you")), words, tick);
  return {
    element,
    update() {
      Object.assign(element.dataset, { itemId: item.id, final: item.final, acknowledged: item.saved });
      setText(words, item.failed && !item.text ? t("talk.failed") : item.text);
      element.hidden = words.textContent === "";
      tick.hidden = !item.saved;
    },
  };
}

function tutorBubble(item, lesson) {
  const words = h("p.words", { lang: lesson.choice.language, dir: "auto" });
  const element = h("li.bubble.tutor", { data: { role: "assistant" } }, h("span.who", {}, t("talk.tutor")), words);
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
