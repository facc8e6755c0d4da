// The legend of a ramp: its classes, the last one open, and what says the highest figure.

/** Room around what a map shows at first, so that the legend at its foot covers nothing; a small map has none to give. */
export const BESIDE_LEGEND = innerWidth < 600 ? { top: 16, left: 16, right: 16, bottom: 28 } : { top: 48, left: 48, right: 48, bottom: 130 };

/** Fill a legend's ramp and bounds; the last class goes on. */
export function fillLegend(element, colours, texts) {
  element.querySelector(".ramp").replaceChildren(...colours.map((colour) => { const part = document.createElement("i"); part.style.background = colour; return part; }));
  element.querySelector(".bounds").replaceChildren(...texts.map((text) => { const part = document.createElement("span"); part.textContent = text; return part; }));
}

/** The lower bounds of classes of whole things as they are read: 1, 4, 9+; one class of one thing alone has no +. */
export function counted(bounds, most, number) {
  const texts = [1, ...bounds.map((bound) => bound + 1)];
  return texts.map((low, at) => number(low) + (at === texts.length - 1 && most > low ? "+" : ""));
}

/** What stands below the ramp of a figure of the market; `words` are {fewer, chance, more}. */
export function told(layer, bounds, most, number, percent, words) {
  if (layer === "difference") return [words.fewer, "", words.chance, "", words.more];
  if (layer !== "surface" && layer !== "value") return bounded(layer, bounds, most, number, percent);
  const texts = [...(layer === "value" ? ["0"] : []), ...bounds.map((bound) => number(bound, layer === "value" ? 0 : 1))];
  if (bounds.length) texts[texts.length - 1] += "+";
  return texts;
}

/** The bounds of a figure of the market as they are read; `number` and `percent` write them. */
function bounded(layer, bounds, most, number, percent) {
  if (layer !== "penetration") return counted(bounds, most, number);
  const texts = ["0", ...bounds.map((bound) => percent(bound))];
  if (bounds.length) texts[texts.length - 1] += "+";
  return texts;
}
