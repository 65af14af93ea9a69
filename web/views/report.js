/** What came of a lesson: what went well, what to look at again, and words to keep. */

import { t } from "../strings.js";
import { correctionCard, keepButton } from "./correction.js";
import { h, setText } from "./dom.js";
import { goalsReached } from "./goals.js";
import { hearButton } from "./hear.js";

const ASK_AGAIN_MS = [1000, 2000, 3000, 5000, 8000, 13000, 20000]; // the tutor writes its part within a minute
const PERCENT = 100;

/**
 * Builds the part of the summary that the server tells, which grows while it is still being made.
 *
 * @param {{learning: import("../learning.js").Learning, conversationId: string, language: string}} options
 * @returns {{element: HTMLElement, close: () => void}} `close` ends the asking
 */
export function report({ learning, conversationId, language }) {
  const status = h("p.note", { role: "status" }, t("report.waiting"));
  const told = h("div.told");
  const corrections = h("div.list");
  const words = h("div.list");
  const element = h("section.report", { hidden: !conversationId, data: { hook: "report" } }, status, told, corrections, words);
  const shown = new Set(); // ids and texts, so that what has been pressed stays as it is
  const closers = []; // of what may be recording
  let closed = false;
  let timer = 0;

  const take = (summary, mistakes) => {
    element.dataset.status = summary.status;
    setText(status, { pending: t("report.waiting"), partial: t("report.partial") }[summary.status] ?? "");
    told.replaceChildren(...tale(summary, language));
    const fresh = mistakes.filter(({ id }) => !shown.has(id));
    for (const { id } of fresh) shown.add(id);
    if (fresh.length > 0 && corrections.childElementCount === 0) {
      corrections.append(h("h2", {}, t("report.corrections")), h("p.note", {}, t("report.honest")));
    }
    corrections.append(...fresh.map((mistake) => correctionCard({
      learning, mistake, language, closers, keep: () => learning.keep({ message_id: mistake.message_id, correction_id: mistake.id }),
    })));
    const more = summary.suggestions.filter(({ origin, back }) => origin !== "correction" && !shown.has(back));
    for (const { back } of more) shown.add(back);
    if (more.length > 0 && words.childElementCount === 0) words.append(h("h2", {}, t("report.words")));
    words.append(...more.map((card) => suggestion({ learning, card, language })));
  };
  const ask = async (attempt) => {
    let pending = true;
    try {
      const [summary, mistakes] = await Promise.all([learning.summary(conversationId), learning.corrections(conversationId)]);
      if (closed) return;
      take(summary, mistakes);
      pending = summary.status === "pending";
    } catch {
      if (closed) return; // asked again, like a summary that is still being made
    }
    if (pending && attempt < ASK_AGAIN_MS.length) timer = setTimeout(() => ask(attempt + 1), ASK_AGAIN_MS[attempt]);
    else if (pending) setText(status, t("report.partial"));
  };
  if (conversationId) ask(0);
  return {
    element,
    close() {
      closed = true;
      clearTimeout(timer);
      for (const end of closers) end();
    },
  };
}

function tale({ went_well: well, next_step: next, language, learner_share: share, goals = [] }, learned) {
  const words = { lang: language || null, dir: "auto" };
  return [
    goals.length > 0 && goalsReached(goals, learned),
    well.length > 0 && h("div", {}, h("h2", {}, t("report.well")), h("ul.plain-list", words, well.map((line) => h("li", {}, line)))),
    next && h("div", {}, h("h2", {}, t("report.next")), h("p", words, next)),
    share > 0 && h("p.note", {}, t("report.share", { share: `${Math.round(share * PERCENT)} %` })),
  ].filter(Boolean);
}

/** One word that could be kept. */
function suggestion({ learning, card, language }) {
  return h("article.item", { data: { suggestion: card.back } },
    h("p", {}, h("b", { lang: language, dir: "auto" }, card.back), " ", h("span", { dir: "auto" }, card.front)),
    h("div.row", {}, hearButton({ learning, text: card.back, language }), keepButton(() => learning.keep(card))));
}
