// White space: the ranked list beside the map; a row and its hexagon are one; the chosen become leads, tasks, routes.

import { territories } from "./layers.js";
import { BESIDE_LEGEND } from "./legend.js";
import { boxOf, createMap } from "./map.js";
import { marked, ramp } from "./market.js";
import { turn, undo } from "./turning.js";

const page = document.querySelector("#white"), canvas = document.querySelector("#white-map");
const words = JSON.parse(canvas.dataset.words);
let found = JSON.parse(canvas.dataset.marked);
const boxes = () => [...page.querySelectorAll(".gap input")];
const keyOf = (row) => row.dataset.cell ?? row.querySelector("input").value;
let active = page.dataset.cell;

function data() {
  const on = new Set(boxes().filter((box) => box.checked).map((box) => box.value)), colours = ramp();
  for (const feature of found.features) {
    const one = feature.properties;
    one.colour = one.level === undefined ? "#E69F00" : colours[Math.min(colours.length - 1, one.level)];
    one.chosen = on.has(one.key) || one.key === active;
  }
  return found;
}
const known = await createMap(canvas, { box: boxOf(found), layers: [territories({ tint: .05 }), marked(data)], padding: BESIDE_LEGEND });
const { map } = known;

function show(row, moves) {
  active = keyOf(row);
  for (const other of page.querySelectorAll(".gap")) other.classList.toggle("active", other === row);
  known.data("marked", data());
  if (moves) map.easeTo({ center: [Number(row.dataset.lon), Number(row.dataset.lat)], zoom: Math.max(12.5, map.getZoom()), duration: 300 });
  else row.scrollIntoView({ block: "nearest" });
}
function chosen() {
  const count = boxes().filter((box) => box.checked).length;
  for (const button of page.querySelectorAll("[data-turn-chosen]")) button.disabled = !count;
  const text = page.querySelector("[data-count]");
  if (text) text.textContent = count ? words.chosen.replace("{n}", count) : words.choose;
  known.data("marked", data());
}
/** The list and the map as they are now: what became a lead is white space no longer; `again` is chosen as before. */
async function reload(again = []) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html"), body = page.querySelector(".drawer > .body"), top = body.scrollTop;
  body.replaceChildren(...fresh.querySelector("#white .drawer > .body").childNodes);
  for (const box of boxes()) box.checked = again.includes(box.value);
  body.scrollTop = top;
  found = JSON.parse(fresh.querySelector("#white-map").dataset.marked);
  const shown = canvas.querySelector(".market-legend"), now = fresh.querySelector(".market-legend");
  if (shown) shown.hidden = !now;
  if (now && shown) shown.replaceChildren(...now.childNodes);
  else if (now) canvas.append(now);
  legend();
  chosen();
}
page.addEventListener("click", async ({ target }) => {
  const row = target.closest(".gap-text")?.closest(".gap");
  if (row) return show(row, true);
  const past = target.closest("[data-undo]");
  if (past) { past.disabled = true; return undo(past.dataset.undo, words, () => reload()); }
  const button = target.closest("[data-turn-chosen]");
  if (!button) return;
  button.disabled = true;
  const values = boxes().filter((box) => box.checked).map((box) => box.value);
  const what = page.dataset.tab === "alike" ? { prospect_ids: values } : { cells: values, ...JSON.parse(page.dataset.asked) };
  await turn({ into: button.dataset.turnChosen, ...what }, words, () => reload(), () => reload(values));
  chosen();
});
page.addEventListener("change", ({ target }) => { if (target.matches(".gap input")) chosen(); });
for (const id of ["marked-cells", "marked-points"]) {
  map.on("click", id, ({ features: [hit] }) => {
    const row = [...page.querySelectorAll(".gap")].find((one) => keyOf(one) === hit.properties.key);
    if (row) show(row, false);
  });
  map.on("mousemove", id, () => { map.getCanvas().style.cursor = "pointer"; });
  map.on("mouseleave", id, () => { map.getCanvas().style.cursor = ""; });
}
function legend() {
  page.querySelectorAll(".market-legend .ramp i").forEach((part, at) => { part.style.background = ramp()[at]; });
}
legend();
document.addEventListener("themechange", () => { known.data("marked", data()); legend(); });
const first = active && [...page.querySelectorAll(".gap")].find((row) => keyOf(row) === active);
if (first) show(first, true);
