/** The page: which screen is shown, and one lesson at a time. */

import { Api } from "./api.js";
import { exposeDiagnostics } from "./diagnostics.js";
import { Lesson } from "./lesson.js";
import { STATE } from "./conversation.js";
import { t } from "./strings.js";
import { Learning } from "./learning.js";
import { mailLinkView, takeMailLink } from "./views/mail-link.js";
import { memoriesView } from "./views/memories.js";
import { placesNav } from "./views/places.js";
import { progressView } from "./views/progress.js";
import { pronunciationView } from "./views/pronunciation.js";
import { reviewView } from "./views/review.js";
import { scenariosView } from "./views/scenarios.js";
import { summaryView } from "./views/summary.js";
import { talkHeader, talkView } from "./views/talk.js";
import { vocabularyView } from "./views/vocabulary.js";
import { pageLanguageChoice, recallChoice, welcomeView } from "./views/welcome.js";

const api = new Api();
const learning = new Learning(api);
const screen = document.getElementById("screen");
const tools = document.getElementById("tools");
let lesson = null;
let view = null;

function show(element, header = []) {
  screen.replaceChildren(element);
  tools.replaceChildren(...header);
  document.body.dataset.view = element.dataset.view;
  window.scrollTo(0, 0);
}

async function closeLesson() {
  view?.close();
  view = null;
  const closing = lesson;
  lesson = null;
  await closing?.close();
}

async function welcome(account = false, focus = true) {
  await closeLesson();
  const header = () => [...(api.known ? [places("talk")] : []), pageLanguageChoice()];
  const element = welcomeView({ api, onStart: talk, onScenes: scenarios, account, onAccount: () => tools.replaceChildren(...header()) });
  show(element, header());
  if (focus) element.querySelector(account ? "#email" : "h1")?.focus();
}

/** What could be played, before the lesson. */
function scenarios(choice) {
  view = scenariosView({ learning, choice, onStart: (scenario) => talk({ ...choice, scenario }), onBack: home });
  show(view.element);
  view.element.querySelector("h1").focus();
}

/** Starts a lesson; runs inside the learner's click, so that the browser lets us play and listen. */
function talk(choice) {
  closeLesson();
  const current = new Lesson(api, choice);
  lesson = current;
  view = talkView(current, { learning, onBack: (account) => welcome(account) });
  show(view.element, talkHeader(current));
  document.getElementById("talk-button").focus();
  current.addEventListener("change", () => {
    if (current === lesson && current.conversation.state === STATE.ended) summary(current);
  });
  current.start();
}

/** Has the tutor ask the cards of a profile; runs inside the learner's click. */
function reviewByVoice({ target_language: language, cefr_level: level }) {
  talk({ language, level, native: recallChoice().native, review: true });
}

function summary(ended) {
  if (view?.element.dataset.view !== "talk") return;
  if (ended.recall) {
    go.review(ended.recall.totals);
    return;
  }
  view.close();
  view = summaryView(ended, { learning, onAgain: () => talk(ended.choice), onBack: () => welcome() });
  show(view.element, [places("")]);
  view.element.querySelector("h1").focus();
}

/** Shows a screen of what is learned: `make` builds it. */
async function learned(name, make) {
  await closeLesson();
  view = make();
  show(view.element, [places(name)]);
  view.element.querySelector("h1").focus();
}

const home = () => welcome();
const go = {
  talk: home,
  review: (spoken) => learned("review", () => reviewView({ learning, spoken, onVoice: reviewByVoice, onPractise: go.practise, onBack: home, onProgress: go.progress })),
  practise: () => learned("review", () => pronunciationView({ learning })),
  words: () => learned("words", () => vocabularyView({ learning })),
  memories: () => learned("memories", () => memoriesView({ learning })),
  progress: () => learned("progress", () => progressView({ learning, onBack: home, onReview: go.review })),
};
const places = (here) => placesNav({ here, go });

/** What a link out of a mail asks for, if the page was opened by one. */
function openMailLink() {
  const link = takeMailLink();
  if (!link) return false;
  const element = mailLinkView({ api, link, onDone: () => welcome(true) });
  closeLesson();
  show(element);
  element.querySelector("h1").focus();
  return true;
}

document.title = t("app.title");
document.querySelector(".skip").textContent = t("app.skip");
exposeDiagnostics(() => lesson);
window.addEventListener("hashchange", openMailLink);
window.addEventListener("pagehide", () => closeLesson());
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted) welcome(); // back from the browser's memory: the lesson was closed when the page was left
});
if (!openMailLink()) welcome(false, false);
