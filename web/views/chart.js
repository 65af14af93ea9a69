/** A chart over days: drawn by uPlot, which is loaded when the first chart is, and a table for who cannot see it. */

import { pageLanguage, t } from "../strings.js";
import { h } from "./dom.js";

const HEIGHT = 190;
const DAY_S = 86400;

/** A local day as uPlot reckons it: its beginning in UTC, in seconds. */
const at = (day) => Date.parse(`${day}T00:00:00Z`) / 1000;

/** A local day in the page's language. */
export function dayName(day, style = { day: "numeric", month: "short" }) {
  return new Date(`${day}T00:00:00Z`).toLocaleDateString(pageLanguage, { ...style, timeZone: "UTC" });
}

/**
 * A figure with a heading, a chart and its table. Days without a value are gaps.
 *
 * @param {{
 *   name: string, title: string, note?: string, days: string[],
 *   series: {label: string, color: string, values: (number | null)[], bars?: boolean}[],
 *   show: (value: number) => string, range?: [number, number],
 * }} chart `color` is the name of one of the style sheet's variables; `show` writes a value with its unit
 * @returns {{element: HTMLElement, close: () => void}} `close` ends the drawing
 */
export function chart({ name, title, note, days, series, show, range }) {
  const canvas = h("div.canvas", { "aria-hidden": "true" });
  const empty = series.every(({ values }) => values.every((value) => value === null || value === 0));
  const element = h("section.card.chart", { data: { chart: name } },
    h("h2", {}, title), note && h("p.note", {}, note),
    empty ? h("p.empty", {}, t("progress.empty")) : canvas,
    !empty && h("details.numbers", {}, h("summary", {}, t("progress.numbers")), table(days, series, show)));
  if (empty) return { element, close() {} };
  const drawing = draw(canvas, { days, series, show, range });
  return { element, close: () => drawing.then((end) => end()) };
}

function table(days, series, show) {
  const rows = days.map((day, i) => ({ day, values: series.map(({ values }) => values[i]) }))
    .filter(({ values }) => values.some((value) => value !== null && value !== 0));
  return h("div.scroll", { tabindex: "0" }, h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("progress.day")), series.map(({ label }) => h("th", { scope: "col" }, label)))),
    h("tbody", {}, rows.map(({ day, values }) => h("tr", {},
      h("th", { scope: "row" }, dayName(day)), values.map((value) => h("td", {}, value === null ? "–" : show(value))))))));
}

/** Draws as soon as uPlot is there, and again when the width or the colours change; resolves to what ends it. */
async function draw(host, data) {
  const { default: UPlot } = await import("../uplot/uPlot.esm.js");
  let plot = null;
  const again = () => {
    plot?.destroy();
    plot = host.clientWidth > 0 ? new UPlot(options(UPlot, host, data), values(data), host) : null;
  };
  const width = new ResizeObserver(() => {
    if (!plot) again();
    else if (plot.width !== host.clientWidth) plot.setSize({ width: host.clientWidth, height: HEIGHT });
  });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  width.observe(host);
  dark.addEventListener("change", again);
  return () => {
    width.disconnect();
    dark.removeEventListener("change", again);
    plot?.destroy();
  };
}

function values({ days, series }) {
  return [days.map(at), ...series.map((one) => one.values)];
}

function options(UPlot, host, { days, series, show, range }) {
  const colours = getComputedStyle(host);
  const colour = (variable) => colours.getPropertyValue(`--${variable}`).trim();
  const axis = { stroke: colour("ink-soft"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  const lines = series.map(({ label, color, bars }) => ({
    label, stroke: colour(color), width: 2, spanGaps: true,
    fill: bars ? colour(color) : undefined,
    paths: bars ? UPlot.paths.bars({ size: [0.7, 28], radius: 0.2 }) : undefined,
    points: { show: !bars && days.length < 40, size: 6 },
    value: (_, value) => (value === null || value === undefined ? "–" : show(value)),
  }));
  return {
    width: host.clientWidth, height: HEIGHT,
    tzDate: (ts) => UPlot.tzDate(new Date(ts * 1000), "Etc/UTC"),
    scales: { x: { range: [at(days[0]) - DAY_S / 2, at(days.at(-1)) + DAY_S / 2] }, y: { range: range ?? ((_, low, high) => [Math.min(0, low), high * 1.1 || 1]) } },
    axes: [
      { ...axis, grid: { show: false }, values: (_, splits) => splits.map((s) => dayName(new Date(s * 1000).toISOString().slice(0, 10))), space: 64, incrs: [1, 2, 7, 14, 28, 56].map((n) => n * DAY_S) },
      { ...axis, size: 56, values: (_, splits) => splits.map(show) },
    ],
    series: [{ label: t("progress.day"), value: (_, ts) => (ts === null || ts === undefined ? "" : dayName(new Date(ts * 1000).toISOString().slice(0, 10))) }, ...lines],
    cursor: { points: { size: 8 }, drag: { x: false, y: false } },
  };
}
