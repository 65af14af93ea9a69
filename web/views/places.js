/** The way between talking and what has been learned. */

import { t } from "../strings.js";
import { h, icon, setAttribute } from "./dom.js";

const PLACES = Object.freeze({ talk: "microphone", review: "cards", words: "book", progress: "level", memories: "person" });

/**
 * @param {{here: string, go: Record<string, () => void>}} options `here` is the place that is shown; `go` leads to each
 */
export function placesNav({ here, go }) {
  return h("nav.places", { "aria-label": t("places") }, Object.entries(PLACES).map(([name, picture]) => {
    const button = h("button.place-link", { type: "button", data: { action: name }, onclick: () => go[name]() },
      icon(picture), h("span", {}, t(`places.${name}`)));
    setAttribute(button, "aria-current", name === here ? "page" : null);
    return button;
  }));
}
