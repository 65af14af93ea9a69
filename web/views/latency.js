/** How long each answer took, and where the time went. */

import { t } from "../strings.js";
import { h, icon, setText } from "./dom.js";

const SHOWN_TURNS = 8;

/** The server's figures in the order in which they pass, and the learner's own device's; protocol, `response.done`. */
const FIGURES = Object.freeze({
  server: [
    "endpoint_ms", "stt_final_ms", "llm_ttft_ms", "clause_ms", "tts_ttfb_ms", "egress_ms", "draft_ms", "first_audio_ms",
    "client_buffer_ms", "heard_ms",
  ],
  device: ["client_ms"],
});

/** A time in words: seconds with two decimals below one, else with one. */
export function seconds(ms) {
  return t("latency.seconds", { seconds: (ms / 1000).toFixed(ms < 995 ? 2 : 1) });
}

/** @param {import("../turn-clock.js").TurnClock} clock */
export function latencyPanel(clock) {
  const last = h("span.latest", { data: { hook: "latency" } });
  const list = h("ol.turns", { reversed: true });
  const none = h("p.note", {}, t("latency.none"));
  const explain = h("p.note", {}, t("latency.explain"));
  const element = h("details.panel.latency", { name: "extras" },
    h("summary", {}, icon("pulse"), h("span", {}, t("latency.title")), last),
    h("div.panel-body", {}, none, explain, list));
  let shown = "";
  const opened = new Set(); // the turns whose figures are looked at
  return {
    element,
    update() {
      const turns = clock.turns.slice(-SHOWN_TURNS).reverse();
      const state = JSON.stringify(turns);
      if (state === shown) return;
      shown = state;
      none.hidden = turns.length > 0;
      explain.hidden = turns.length === 0;
      setText(last, turns.length > 0 ? seconds(turns[0].heardMs) : "");
      const longest = Math.max(...turns.map((turn) => turn.heardMs), 1);
      list.replaceChildren(...turns.map((turn) => row(turn, longest, opened)));
    },
  };
}

function row(turn, longest, opened) {
  const bar = h("span.bar", { "aria-hidden": "true" });
  bar.style.width = `${(100 * turn.heardMs) / longest}%`;
  for (const [stage, ms] of turn.stages) {
    const piece = h("span.piece", { data: { stage } });
    piece.style.flexGrow = ms;
    bar.append(piece);
  }
  const name = t("latency.turn", { number: turn.number }) + (turn.typed ? ` (${t("latency.typed")})` : "");
  const split = turn.stages.map(([stage, ms]) => h("span.key", { data: { stage } }, `${t(`stage.${stage}`)} ${seconds(ms)}`));
  if (turn.draftMs > 0) split.push(h("span.key", { data: { stage: "draft" } }, t("latency.drafted", { seconds: seconds(turn.draftMs) })));
  return h("li", { data: { latencyMs: turn.heardMs, stages: turn.stages.length } },
    h("span.turn-name", {}, name), h("span.turn-time", {}, seconds(turn.heardMs)),
    h("span.track", {}, bar), h("span.split", {}, split), figures(turn, opened));
}

/** The figures of a turn as they came, for whoever wants to know where a millisecond went. */
function figures({ number, report, heardMs }, opened) {
  if (!report.first_audio_ms) return false;
  const known = { ...report, client_ms: report.client_ms || heardMs };
  const body = (group) => h("tbody", {},
    h("tr", {}, h("th", { scope: "rowgroup", colspan: "2" }, t(`latency.${group}`))),
    FIGURES[group].filter((field) => known[field] > 0).map((field) => h("tr", { data: { figure: field } },
      h("th", { scope: "row" }, t(`figure.${field}`)), h("td", {}, String(Math.round(known[field]))))));
  return h("details.breakdown", {
    open: opened.has(number),
    ontoggle: ({ target }) => (target.open ? opened.add(number) : opened.delete(number)),
  },
  h("summary", {}, t("latency.figures")),
  h("table", {}, h("caption.visually-hidden", {}, t("latency.figures.of", { number })), body("server"), body("device")));
}
