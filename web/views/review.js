/** Reviewing cards: a question, its answer, and how well it was known. */

import { describe } from "../languages.js";
import { ReviewSession } from "../review-session.js";
import { t } from "../strings.js";
import { h, icon, setText } from "./dom.js";
import { hearButton } from "./hear.js";
import { interval } from "./interval.js";

const PRESSED = "button:not(.reveal), a[href]"; // what the space bar presses itself
const RATINGS = Object.freeze(["again", "hard", "good", "easy"]);

/**
 * Builds the screen.
 *
 * @param {{
 *   learning: import("../learning.js").Learning, spoken?: {done: number, known: number},
 *   onVoice: (profile: object) => void, onPractise: () => void, onBack: () => void, onProgress: () => void,
 * }} options `spoken` is what came of a review by voice just now; `onVoice` begins one and is called inside the click
 * @returns {{element: HTMLElement, close: () => void}}
 */
export function reviewView({ learning, spoken, onVoice, onPractise, onBack, onProgress }) {
  const place = h("div.place");
  const status = h("p.note", { "aria-live": "polite", data: { hook: "review-status" } });
  const undo = h("button.quiet", { type: "button", data: { action: "undo" }, onclick: () => takeBack() }, t("review.undo"));
  let shown = null; // the entry whose question or answer is shown
  let open = false; // its answer is
  let profiles = [];

  const session = new ReviewSession(learning, () => draw());
  const takeBack = () => session.undo().catch(() => setText(status, t("review.undo.failed")));
  const rate = (rating) => {
    if (open) session.rate(rating);
  };
  const reveal = () => {
    open = true;
    place.replaceChildren(cardElement({ learning, entry: shown, open, rate, reveal }));
    place.querySelector('[data-rating="3"]').focus();
  };
  const voice = h("div.row");
  const practise = h("button.quiet", { type: "button", data: { action: "practise-saying" }, onclick: onPractise }, t("practice.open"));
  const offerVoice = () => {
    const codes = new Set(session.queue.filter(({ card }) => card.kind !== "recognise").map(({ card }) => card.profile_id));
    const able = profiles.filter(({ id }) => codes.has(id));
    voice.replaceChildren(...able.map((profile) => h("button.secondary", {
      type: "button", data: { action: "review-voice" }, onclick: () => onVoice(profile),
    }, icon("microphone"), able.length > 1 ? t("recall.start.in", { language: describe(profile.target_language).name }) : t("recall.start"))), practise);
  };
  voice.append(practise);
  const draw = () => {
    undo.hidden = !session.last;
    setText(status, statusText(session));
    if (session.current && session.current === shown && !open) return;
    shown = session.current;
    open = false;
    place.replaceChildren(shown ? cardElement({ learning, entry: shown, open, rate, reveal }) : overElement(session, { onBack, onProgress }));
    place.querySelector("[data-focus]")?.focus();
  };
  const load = () => {
    place.replaceChildren(h("p.note", { role: "status" }, t("review.loading")));
    session.load().then(offerVoice).catch(() => place.replaceChildren(h("div.card.question", { role: "alert" }, h("p", {}, t("review.failed")),
      h("button.secondary", { type: "button", data: { action: "retry" }, onclick: load }, t("action.retry")))));
  };
  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const number = Number(event.key);
    if (number >= 1 && number <= RATINGS.length && open) rate(number);
    else if (event.key === " " && shown && !open && !event.target.closest(PRESSED)) reveal();
    else if (event.key.toLowerCase() === "u" && session.last) takeBack();
    else return;
    event.preventDefault();
  };
  const online = () => session.flush();
  document.addEventListener("keydown", onKey);
  window.addEventListener("online", online);
  learning.profiles().then((all) => {
    profiles = all;
    offerVoice();
  }, () => {}); // the same trouble shows with the cards
  load();
  return {
    element: h("main.review", { id: "main", data: { view: "review" } },
      h("div.head", {}, h("h1", { tabindex: "-1" }, t("review.title")), undo),
      spoken?.done > 0 && h("p.note", { role: "status", data: { hook: "recall-result" } }, t("review.result", spoken)),
      voice, place, status, h("p.note.keys", {}, t("review.keys"))),
    close() {
      document.removeEventListener("keydown", onKey);
      window.removeEventListener("online", online);
    },
  };
}

function statusText(session) {
  if (session.full) return t("review.full");
  if (session.trouble) return t("review.offline");
  return session.queue.length > 0 ? t("review.left", { left: session.queue.length }) : "";
}

function cardElement({ learning, entry, open, rate, reveal }) {
  const { card } = entry;
  const learned = { lang: card.language, dir: "auto" };
  const asked = card.kind === "recognise" ? learned : { dir: "auto" };
  return h("article.card.question", { data: { card: card.id, kind: card.kind } },
    h("p.note", {}, t(`review.ask.${card.kind}`)),
    h("p.front", asked, card.front),
    open && h("div.answer", { "aria-live": "polite" },
      h("p.back", card.kind === "recognise" ? { dir: "auto" } : learned, card.back),
      card.context && h("p.note", learned, card.context),
      hearButton({ learning, text: card.kind === "recognise" ? card.front : card.back, language: card.language })),
    open ? ratingButtons(entry, rate)
      : h("button.primary.reveal", { type: "button", data: { action: "reveal", focus: "" }, onclick: reveal }, t("review.reveal")));
}

function ratingButtons({ previews }, rate) {
  return h("div.ratings", { role: "group", "aria-label": t("review.how") },
    previews.map(({ rating, interval_seconds: seconds }) => h("button.secondary", {
      type: "button", data: { rating: String(rating) }, onclick: () => rate(rating),
    }, h("span.name", {}, t(`review.rating.${RATINGS[rating - 1]}`)), h("span.when", {}, interval(seconds)))));
}

function overElement(session, { onBack, onProgress }) {
  const { done, known } = session;
  return h("div.card.question.over", { data: { hook: "review-over" } }, icon("tick"),
    h("h2", { tabindex: "-1", data: { focus: "" } }, t(done > 0 ? "review.over" : "review.nothing")),
    done > 0 && h("p", {}, t("review.result", { done, known })),
    h("div.row", {},
      h("button.primary", { type: "button", data: { action: "progress" }, onclick: onProgress }, t("progress.title")),
      h("button.quiet", { type: "button", onclick: onBack }, t("action.back"))));
}
