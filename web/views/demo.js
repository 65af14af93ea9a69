/** Says plainly that a part of the tutor is simulated, how to get the real one, and what to say meanwhile. */

import { has, t } from "../strings.js";
import { h, setText } from "./dom.js";

/** @param {import("../lesson.js").Lesson} lesson */
export function demoBanner({ conversation, recall }) {
  const what = h("span.demo-what");
  const variables = h("ul.variables");
  const line = h("q.line");
  const label = h("span.try", {}, t("demo.say"));
  const say = h("p.say", { data: { hook: "demo-line" } }, label, " ", line);
  const element = h("aside.demo", { hidden: true, data: { hook: "demo" } },
    say,
    h("details", {},
      h("summary", {}, what, " ", h("span.more", {}, t("demo.more"))),
      h("p", {}, t("demo.how")),
      variables));
  return {
    element,
    update() {
      const { demo, session } = conversation;
      element.hidden = !demo;
      if (!demo) return;
      setText(what, whatOf(session.parts ?? {}));
      const missing = demo.missing ?? [];
      if (variables.childElementCount !== missing.length) {
        variables.replaceChildren(...missing.map((name) => h("li", {}, h("code", {}, name), variableWords(name))));
      }
      if (recall) say.hidden = true; // the cards say what is to be said
      else showLine(conversation, say, label, line);
    },
  };
}

function showLine(conversation, say, label, line) {
  const script = conversation.demo.script ?? [];
  const next = conversation.nextLine;
  say.hidden = script.length === 0;
  label.hidden = next === "";
  line.hidden = next === "";
  line.lang = conversation.language;
  if (next) setText(line, next);
  let over = say.querySelector(".over");
  if (!over) {
    over = h("span.over", {}, t("demo.over"));
    say.append(over);
  }
  over.hidden = next !== "";
}

function whatOf(parts) {
  const simulated = ["stt", "llm", "tts"].filter((part) => parts[part] === "demo").map((part) => t(`demo.part.${part}`));
  if (simulated.length < 2) return t("demo.what.one", { parts: simulated[0] ?? "" });
  const last = simulated.pop();
  return t("demo.what", { parts: simulated.join(", ") + t("demo.and") + last });
}

function variableWords(name) {
  const key = `demo.var.${name}`;
  return has(key) ? ` ${t(key)}` : "";
}
