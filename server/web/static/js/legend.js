// The legend of the hexagons: classes with their bounds for the zoom that is shown.

import { density } from "./layers.js";

export function densityLegend(element, market, zoom) {
  const resolution = market.resolution_by_zoom[Math.max(0, Math.min(22, Math.floor(zoom)))];
  const breaks = market.breaks[resolution] ?? [];
  const colours = density(() => null).ramp().slice(0, breaks.length + 1);
  const ramp = element.querySelector(".ramp");
  ramp.replaceChildren(...colours.map((colour) => { const part = document.createElement("i"); part.style.background = colour; return part; }));
  element.querySelector(".bounds").replaceChildren(...[1, ...breaks.map((bound) => bound + 1)].map((bound) => {
    const text = document.createElement("span");
    text.textContent = bound.toLocaleString(document.documentElement.lang);
    return text;
  }));
}
