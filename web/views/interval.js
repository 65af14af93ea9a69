/** Times until a card is asked again. */

import { pageLanguage } from "../strings.js";

/** A time until the next review, as briefly as it can be said in the page's language. */
export function interval(seconds) {
  const [value, unit] = [[86400 * 365, "year"], [86400 * 30, "month"], [86400, "day"], [3600, "hour"], [60, "minute"]]
    .map(([size, name]) => [seconds / size, name]).find(([amount]) => amount >= 1) ?? [1, "minute"];
  const style = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: unit === "year" || unit === "month" ? 1 : 0 };
  return new Intl.NumberFormat(pageLanguage, style).format(value);
}
