// The density page: one panel chooses the figure, the ground and the kind; hover and click say all figures.

import { accounts, prospects, territories } from "./layers.js";
import { hoverCard } from "./hover.js";
import { BESIDE_LEGEND, fillLegend, told } from "./legend.js";
import { createMap } from "./map.js";
import { classes, market } from "./market.js";
import { savePicture } from "./picture.js";
import { turningButtons } from "./turning.js";

const panel = document.querySelector("#market"), legend = document.querySelector("#market-legend");
const words = JSON.parse(document.querySelector("#density-map").dataset.words);
const exporting = document.querySelector("#export");
const lang = document.documentElement.lang;
const number = (value, digits = 0) => value.toLocaleString(lang, { maximumFractionDigits: digits });
const percent = (share) => `${number(100 * share, share < .1 ? 1 : 0)} %`;
const marketOf = (kind) => fetch(`/api/v1/density?${new URLSearchParams(kind ? { kind } : {})}`).then((answer) => answer.json());
const chosen = { layer: new FormData(panel).get("layer"), kind: panel.elements.kind.value, areas: null, known: await marketOf(panel.elements.kind.value), of: "prospects", bandwidth: 1000 };
const made = await createMap(document.querySelector("#density-map"), { layers: [market(() => chosen), territories({ tint: 0 }), prospects({ counts: false }), accounts(() => ({}))], hidden: ["accounts"], padding: BESIDE_LEGEND });
const { map } = made;

function showLegend() {
  const { bounds, colours, most } = classes(chosen, map.getZoom());
  legend.querySelector("h3").textContent = words[`legend_${chosen.layer}`] + (chosen.areas ? "" : chosen.layer === "surface" || chosen.layer === "difference" || chosen.layer === "penetration" ? "" : ` ${words.each}`);
  fillLegend(legend, colours, told(chosen.layer, bounds, most, number, percent, words));
  // The choice says what is drawn at this zoom, as the legend does: no hexagon allows a finer one.
  const drawn = (asked) => number(Math.round(chosen.known.bandwidth_m_by_zoom[asked]?.[Math.max(0, Math.min(22, Math.floor(map.getZoom())))] / 10) * 10);
  for (const one of panel.elements.bandwidth.options) {
    one.textContent = `${drawn(one.value)} m`;
    one.hidden = !one.selected && [...panel.elements.bandwidth.options].some((other) => (other.selected || other.index < one.index) && drawn(other.value) === drawn(one.value));
  }
  const hint = legend.querySelector("small");
  const highest = most ? words.most.replace("{n}", chosen.layer === "penetration" ? percent(most) : number(Math.ceil(most))) : "";
  hint.textContent = chosen.layer === "surface" ? words.spread.replace("{m}", drawn(chosen.bandwidth)) : [highest, words[`formula_${chosen.layer}`], chosen.layer === "penetration" && chosen.kind ? words.no_data : ""].filter(Boolean).join("; ");
  panel.querySelector("[data-for=surface]").hidden = chosen.layer !== "surface";
  panel.querySelector("[data-for=kind]").hidden = chosen.layer === "surface";
  panel.querySelector("[data-for=ground]").hidden = chosen.layer === "surface";
}
async function choose() {
  const form = new FormData(panel);
  chosen.layer = form.get("layer");
  chosen.of = form.get("of");
  chosen.bandwidth = Number(form.get("bandwidth"));
  const ground = chosen.layer === "surface" ? "cells" : form.get("ground");
  const kind = chosen.layer === "surface" ? "" : form.get("kind");
  if (kind !== chosen.kind) chosen.known = await marketOf(kind);
  chosen.kind = kind;
  const asked = new URLSearchParams({ ...(kind ? { kind } : {}), ...(ground === "cells" || ground === "territories" ? {} : { level: ground }) });
  chosen.areas = ground === "cells" ? null : await fetch(`/api/v1/density/areas?${asked}`).then((answer) => answer.json());
  panel.querySelector("[data-none]").hidden = !chosen.areas || chosen.areas.features.length > 0;
  made.refresh();
  showLegend();
  await list();
}
/** The headline and the list are of the same kind and ranked by the same figure as the map, and the address says it;
 * with `view` they are of the hexagons that the map shows, without it of those that they were of. */
async function list(view = {}) {
  const at = new URL(location.href), body = document.querySelector(".drawer > .body");
  const figure = chosen.layer === "surface" ? chosen.of : chosen.layer;
  const asked = { kind: chosen.kind, figure: figure === "prospects" ? "" : figure, ...view };
  if (Object.entries(asked).every(([name, value]) => (at.searchParams.get(name) ?? "") === value)) return;
  for (const [name, value] of Object.entries(asked)) if (value) at.searchParams.set(name, value); else at.searchParams.delete(name);
  history.replaceState(null, "", at);
  const answer = await fetch(at, { headers: { Accept: "text/html" } });
  if (!answer.ok || at.href !== location.href) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  body.replaceChildren(...page.querySelector(".drawer > .body").childNodes);
  exporting?.querySelector("[data-kind]").replaceChildren(...page.querySelector("#export [data-kind]").childNodes);
  if (exporting) exporting.elements.kind.value = chosen.kind;
}
panel.addEventListener("change", choose);
if (window.innerWidth < 900) panel.closest("details").open = false;
map.on("zoomend", showLegend);
document.addEventListener("themechange", showLegend);
showLegend();

// hover says the figures in a line, a click all of them
const hover = hoverCard(map);
let popup = null, cards = 0;
map.on("mousemove", "market-cells", ({ point, features: [hit] }) => {
  if (popup?.isOpen()) return;
  const cell = hit.properties;
  const count = (of, n) => (n === 1 ? words[`${of}_one`] : words[`${of}_more`].replace("{n}", number(n, n < 10 ? 1 : 0)));
  const [title, ...lines] = [cell.name, `${count("p", cell.prospects)}, ${count("c", cell.customers)}`,
    cell.not_known ? count("unknown", cell.unknown ?? cell.customers_of_unknown_kind) : words.share.replace("{p}", percent(cell.penetration)).replace("{low}", percent(cell.low ?? cell.low_90)).replace("{high}", percent(cell.high ?? cell.high_90))].filter(Boolean);
  hover.show(point, title, lines.join("\n"));
});
map.on("mouseleave", "market-cells", hover.hide);
async function show(cell, at) {
  const mine = (cards += 1);
  const answer = await fetch(`/density/cells/${cell}?${new URLSearchParams(chosen.kind ? { kind: chosen.kind } : {})}`, { headers: { "HX-Request": "true", Accept: "text/html" } });
  const text = await answer.text();
  if (!answer.ok || mine !== cards) return; // another one was clicked meanwhile
  hover.hide();
  popup?.remove();
  popup = new maplibregl.Popup({ maxWidth: "320px", focusAfterOpen: false, className: "cell-popup" }).setLngLat(at).setHTML(text).addTo(map);
}
map.on("click", "market-cells", ({ lngLat, features: [hit] }) => {
  if (hit.properties.cell) show(hit.properties.cell, lngLat);
});
document.addEventListener("escape", () => popup?.remove());
turningButtons(words, () => made.refresh());
/** The size of the hexagons at the map's zoom, and the edges of the map. */
function shown() {
  const bounds = map.getBounds(), within = (value, most) => Math.max(-most, Math.min(most, value)).toFixed(5);
  const edges = [[bounds.getWest(), 180], [bounds.getSouth(), 90], [bounds.getEast(), 180], [bounds.getNorth(), 90]];
  return { resolution: String(resolutionAt(map.getZoom())), box: edges.map(([value, most]) => within(value, most)).join(",") };
}
const resolutionAt = (zoom) => chosen.known.resolution_by_zoom[Math.max(0, Math.min(22, Math.floor(zoom)))];
document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-here]")) list(shown());
  if (!event.target.closest?.("[data-whole]")) return;
  event.preventDefault();
  list({ resolution: "", box: "" });
});
document.addEventListener("click", ({ target }) => {
  const cell = target.closest?.(".cells [data-lon]");
  if (!cell) return;
  const at = [Number(cell.dataset.lon), Number(cell.dataset.lat)];
  const zoom = chosen.known.resolution_by_zoom.lastIndexOf(Number(cell.dataset.size));
  map.easeTo({ center: at, zoom: zoom < 0 ? 12.5 : Math.min(zoom, 15) + .5, duration: 300 }); // hexagons as large as those of the list
  show(cell.dataset.cell, at);
});
exporting?.querySelector("[data-picture]").addEventListener("click", () => savePicture(map, legend, `density-${chosen.layer}`));
