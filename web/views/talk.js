/** The screen of the conversation: one big button, what both sides say, and a few helps. */

import { STATE } from "../conversation.js";
import { describe } from "../languages.js";
import { t } from "../strings.js";
import { captionsPanel } from "./captions.js";
import { controls } from "./controls.js";
import { demoBanner } from "./demo.js";
import { h, icon, setText } from "./dom.js";
import { goalsPanel } from "./goals.js";
import { helpBar } from "./helps.js";
import { latencyPanel } from "./latency.js";
import { newsList } from "./news.js";
import { noticeList, problemCard } from "./notices.js";
import { nudgeCard } from "./nudge.js";
import { recallPanel } from "./recall.js";
import { settingsPanel } from "./settings.js";
import { talkButton } from "./talk-button.js";

/**
 * Builds the screen.
 *
 * @param {import("../lesson.js").Lesson} lesson
 * @param {{learning: import("../learning.js").Learning, onBack: (account: boolean) => void}} options
 * @returns {{element: HTMLElement, close: () => void}}
 */
export function talkView(lesson, { learning, onBack }) {
  const { conversation } = lesson;
  const captions = captionsPanel(lesson, learning);
  const parts = [
    talkButton(lesson), captions, controls(lesson), demoBanner(lesson), noticeList(lesson),
    problemCard(lesson, onBack), settingsPanel(lesson), latencyPanel(lesson.clock), composer(lesson), status(lesson),
    nudgeCard(conversation), helpBar(lesson), newsList(lesson), goalsPanel(lesson), recallPanel(lesson),
  ];
  const [button, , bar, demo, notices, problem, settings, latency, typing, state, nudge, helps, news, goals, recall] = parts.map((part) => part.element);

  const element = h("main.talk", { id: "main", data: { view: "talk" } },
    h("div.side", {},
      h("div.stage", {}, state, nudge, button, bar),
      h("div.extras", {}, settings, latency)),
    h("div.dialogue", {}, demo, goals, recall, notices, news, captions.element, problem, helps, typing));

  const update = () => {
    element.dataset.state = lesson.problem ? "problem" : conversation.state;
    for (const part of parts) part.update?.();
  };
  let frame = 0;
  const animate = () => {
    for (const part of parts) part.animate?.();
    frame = requestAnimationFrame(animate);
  };
  let pending = false;
  const changed = () => {
    if (pending) return;
    pending = true;
    queueMicrotask(() => {
      pending = false;
      update();
    });
  };
  const onKey = (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) lesson.stopTutor();
  };
  lesson.addEventListener("change", changed);
  document.addEventListener("keydown", onKey);
  update();
  animate();
  return {
    element,
    close() {
      cancelAnimationFrame(frame);
      lesson.removeEventListener("change", changed);
      document.removeEventListener("keydown", onKey);
      for (const part of parts) part.close?.();
    },
  };
}

/** The lesson's chip in the page's header, with the button that ends the lesson. */
export function talkHeader(lesson) {
  const { own } = describe(lesson.choice.language);
  return [
    h("span.chip", {}, h("span", { lang: lesson.choice.language }, own), h("span.dot", { "aria-hidden": "true" }), lesson.choice.level),
    h("button.quiet.end", { type: "button", data: { action: "end" }, onclick: () => lesson.end() }, icon("end"), t("talk.end")),
  ];
}

function hintOf(lesson) {
  const { conversation, uplink } = lesson;
  if (lesson.suspended && conversation.phase === "live") return t("hint.suspended");
  if (lesson.asking) return t("hint.asking");
  if (conversation.state === STATE.idle && !lesson.startable) return "";
  if (conversation.phase === "live" && uplink.talking) return t(uplink.latched ? "hint.talking.tapped" : "hint.talking");
  if (conversation.state === STATE.speaking) {
    if (uplink.pushToTalk) return t("hint.speaking.push");
    return t(uplink.halfDuplex ? "hint.speaking.half" : "hint.speaking");
  }
  if (conversation.state === STATE.reconnecting && (uplink.muted || !lesson.withMicrophone)) return t("hint.reconnecting.silent");
  if (conversation.state !== STATE.listening) return t(`hint.${conversation.state}`);
  if (uplink.holding) return t("hint.holding");
  if (!lesson.withMicrophone) return t("hint.typing");
  if (conversation.misheard) return t("hint.misheard");
  if (uplink.pushToTalk) return t("hint.push");
  if (uplink.muted) return t("hint.muted");
  return t(conversation.hearing ? "hint.hearing" : "hint.listening");
}

/** The state as the learner takes it: one who has to hold a button is not listened to all the time. */
function stateWord({ conversation, uplink }) {
  const { phase, state } = conversation;
  if (phase === "live" && uplink.talking) return STATE.listening;
  if (state !== STATE.listening) return state;
  if (uplink.pushToTalk) return "push";
  return uplink.muted ? "muted" : state;
}

function status(lesson) {
  const word = h("p.state-word", { data: { hook: "state" } });
  const hint = h("p.hint");
  return {
    element: h("div.status", { role: "status" }, word, hint),
    update() {
      setText(word, t(`state.${stateWord(lesson)}`));
      setText(hint, lesson.conversation.state === STATE.ended ? "" : hintOf(lesson));
    },
  };
}

function composer(lesson) {
  const input = h("input", {
    type: "text", id: "message", autocomplete: "off", maxlength: "2000", lang: lesson.choice.language, dir: "auto",
    placeholder: t("talk.message"), "aria-label": t("talk.message"), enterkeyhint: "send",
  });
  const send = h("button.secondary.round", { type: "submit", "aria-label": t("talk.send"), data: { action: "send" } }, icon("send"));
  const submit = (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text && lesson.type(text)) input.value = "";
  };
  return {
    element: h("form.composer", { onsubmit: submit }, input, send),
    update() {
      const live = lesson.conversation.phase === "live";
      input.disabled = !live;
      send.disabled = !live;
    },
  };
}
