/** The page: which screen is shown, and one lesson at a time. */

import { Api } from "./api.js";
import { exposeDiagnostics } from "./diagnostics.js";
import { Lesson } from "./lesson.js";
import { STATE } from "./conversation.js";
import { mailLinkView, takeMailLink } from "./views/mail-link.js";
import { summaryView } from "./views/summary.js";
import { talkHeader, talkView } from "./views/talk.js";
import { recallChoice, welcomeView } from "./views/welcome.js";

const api = new Api();
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
  const element = welcomeView({ api, onStart: talk, account });
  show(element);
  if (focus) element.querySelector(account ? "#email" : "h1")?.focus();
}

/** Starts a lesson; runs inside the learner's click, so that the browser lets us play and listen. */
function talk(choice) {
  closeLesson();
  const current = new Lesson(api, choice);
  lesson = current;
  view = talkView(current, { onBack: (account) => welcome(account) });
  show(view.element, talkHeader(current));
  document.getElementById("talk-button").focus();
  current.addEventListener("change", () => {
    if (current === lesson && current.conversation.state === STATE.ended) summary(current);
  });
  current.start();
}

function summary(ended) {
  if (!view) return;
  view.close();
  view = null;
  const element = summaryView(ended, { onAgain: () => talk(recallChoice()), onBack: () => welcome() });
  show(element);
  element.querySelector("h1").focus();
}

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

exposeDiagnostics(() => lesson);
window.addEventListener("hashchange", openMailLink);
window.addEventListener("pagehide", () => closeLesson());
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted) welcome(); // back from the browser's memory: the lesson was closed when the page was left
});
if (!openMailLink()) welcome(false, false);
