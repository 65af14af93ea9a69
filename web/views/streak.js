/** The streak: how many days in a row, and a calendar of them. */

import { pageLanguage, t } from "../strings.js";
import { dayName } from "./chart.js";
import { h, icon } from "./dom.js";

const STATES = Object.freeze({ practised: "streak.practised", frozen: "streak.frozen", none: "streak.none" });
const WEEK = 7;
const MONDAY = Date.parse("2024-01-01T00:00:00Z");

/** @param {{current: number, longest: number, freeze_days: number, calendar: {day: string, state: string, speaking_seconds: number}[]}} streak */
export function streakCard(streak) {
  const title = t(streak.current === 1 ? "streak.title.one" : "streak.title", { days: streak.current });
  return h("section.card.streak", { data: { chart: "streak" } },
    h("h2", {}, icon("flame"), title),
    h("p.note", {}, t("streak.longest", { days: streak.longest }), " · ",
      t(streak.freeze_days === 1 ? "streak.freezes.one" : "streak.freezes", { days: streak.freeze_days })),
    calendar(streak.calendar));
}

function calendar(days) {
  const blank = days.length > 0 ? (new Date(`${days[0].day}T00:00:00Z`).getUTCDay() + WEEK - 1) % WEEK : 0;
  const names = Array.from({ length: WEEK }, (_, i) =>
    new Date(MONDAY + i * 86400000).toLocaleDateString(pageLanguage, { weekday: "narrow", timeZone: "UTC" }));
  return h("div.calendar", { role: "list", "aria-label": t("streak.calendar") },
    names.map((name) => h("span.weekday", { "aria-hidden": "true" }, name)),
    Array.from({ length: blank }, () => h("span", { "aria-hidden": "true" })),
    days.map(({ day, state, speaking_seconds: seconds }) => {
      const words = t(STATES[state] ?? STATES.none);
      const label = `${dayName(day, { weekday: "long", day: "numeric", month: "long" })}: ${words}`;
      return h("span.day", { role: "listitem", title: label, "aria-label": label, data: { state, much: String(depth(seconds)) } },
        String(Number(day.slice(-2))));
    }));
}

/** How strongly a day is coloured, by how long the learner spoke: 1 to 3. */
function depth(seconds) {
  if (seconds >= 600) return 3;
  return seconds >= 180 ? 2 : 1;
}
