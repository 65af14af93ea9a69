/** How long each answer took, and where the time went. */

import { t } from "../strings.js";
import { h, icon, setText } from "./dom.js";

const SHOWN_TURNS = 8;

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
      list.replaceChildren(...turns.map((turn) => row(turn, longest)));
    },
  };
}

function row(turn, longest) {
  const bar = h("span.bar", { "aria-hidden": "true" });
  bar.style.width = `${(100 * turn.heardMs) / longest}%`;
  for (const [stage, ms] of turn.stages) {
    const piece = h("span.piece", { data: { stage } });
    piece.style.flexGrow = ms;
    bar.append(piece);
  }
  const name = t("latency.turn", { number: turn.number }) + (turn.typed ? ` (${t("latency.typed")})` : "");
  const split = turn.stages.map(([stage, ms]) => h("span.key", { data: { stage } }, `${t(`stage.${stage}`)} ${seconds(ms)}`));
  return h("li", { data: { latencyMs: turn.heardMs, stages: turn.stages.length } },
    h("span.turn-name", {}, name), h("span.turn-time", {}, seconds(turn.heardMs)),
    h("span.track", {}, bar), h("span.split", {}, split));
}
