// The map page: layers, chips, the drawer with today and the list, cards; today is asked for every five seconds.

import { toast } from "./app.js";
import { accounts, incoming, leads, prospects, reached, routes, territories, tickets } from "./layers.js";
import { hoverCards } from "./hover.js";
import { refill } from "./keeping.js";
import { createMap } from "./map.js";
import { dayControl, tracks } from "./map_day.js";
import { features, reports } from "./routes.js";
import { lassoControl, outline, outlineOf } from "./lasso.js";
import { fillLegend, told } from "./legend.js";
import { classes, market as marketLayer } from "./market.js";
import { reachControl } from "./reach.js";
import { rings, ringsControl } from "./rings.js";
import { turningButtons } from "./turning.js";
import { viewsControl } from "./views.js";

const page = document.querySelector("#home");
const chosen = { filter: page.dataset.filter, q: page.dataset.q, selected: "", by: page.dataset.by, owners: JSON.parse(page.dataset.owners), pipelines: JSON.parse(page.dataset.pipelines), pipeline: "" };
const chosenLeads = { filter: page.dataset.leads ?? "", selected: "" };
const chosenTickets = { filter: page.dataset.tickets ?? "" };
let today = { routes: [], tracks: [], reports: [] };
const pipeline = document.querySelector("#layers [name=pipeline]");
chosen.pipeline = pipeline?.value ?? "";
/** What list and card are asked for beside their filter: the stage of each account, when that colours them. */
const staged = () => (chosen.by === "stage" ? { pipeline: chosen.pipeline } : {});
/** The kind of firm that the map shows; nothing while it shows firms of every kind, or none. */
const kind = () => (known.isShown("prospects") && kinds?.value) || "";
/** Whether the list also counts the firms in what was drawn, and of which kind. */
const firms = () => (known.isShown("prospects") && outlineOf(chosen.filter) ? { firms: kind() || "all" } : {});
const figure = document.querySelector("#layers [name=market]"), kinds = document.querySelector("#layers [name=kind]"), basemap = document.querySelector("#basemap");
let market = null;
let reach = null;
let lasso = null;
let ringed = null;
let other = { day: "" };
const shown = () => (other.day ? other : today);
const asked = new URLSearchParams(location.search);
const panelOfLayers = document.querySelector("#layers");
const boxes = [...panelOfLayers.querySelectorAll("input[data-layer]")];
const usual = boxes.filter((box) => box.checked).map((box) => box.value).join(" ");
basemap.checked = asked.get("basemap") !== "off";
if (kinds && [...kinds.options].some((one) => one.value === asked.get("kind"))) kinds.value = asked.get("kind");
const LAYERS = ["accounts", "leads", "tickets", "routes", "tracks", "incoming", "territories", "density", "prospects", "none"];
const wished = asked.get("layers")?.split(" ").filter(Boolean) ?? [], meant = wished.filter((name) => LAYERS.includes(name));
if (meant.length) for (const box of boxes) box.checked = meant.includes(box.value);
const strange = [...wished.filter((name) => !LAYERS.includes(name)), ...[asked.get("by")].filter((by) => by && !page.dataset.colourings.split(" ").includes(by))];

const offered = new Set([...boxes.map((box) => box.value), "rings", "reached", "outline"]); // without its box, a role has no right to a layer

const NOTHING = { resolution_by_zoom: [], layer_breaks: {}, layer_most: {}, ladder: [] }, SPREAD = 1000;
const canvas = document.querySelector("#map");
const known = await createMap(canvas, {
  hash: "at",
  layers: [territories(), rings(() => ringed?.state ?? {}), reached(() => reach?.drawn ?? {}), outline(() => lasso?.state() ?? {}), { ...marketLayer(() => ({ layer: figure?.value ?? "prospects", known: market ?? NOTHING, of: "prospects", bandwidth: SPREAD })), name: "density" }, accounts(() => chosen), prospects({ kind: () => kinds?.value ?? "" }), leads(() => chosenLeads), routes(() => features(shown().routes)), tracks(() => shown().tracks), incoming(() => reports(other.day ? [] : today.reports)), tickets(() => chosenTickets)].filter((one) => offered.has(one.name)),
  hidden: [...boxes, basemap].filter((box) => !box.checked).map((box) => box.value),
});
const { map } = known;

// layers and legend
function legend() {
  for (const part of document.querySelectorAll("[data-legend]")) part.hidden = !known.isShown(part.dataset.legend) || (part.dataset.legend === "routes" && !shown().routes.length) || (part.dataset.legend === "tracks" && !shown().tracks.length) || (part.dataset.legend === "rings" && !ringed?.state.centre) || (part.dataset.legend === "reached" && !reach?.drawn.centre);
  document.querySelector("[data-recorded]").hidden = !shown().tracks.some((one) => one.lines.length);
  for (const part of document.querySelectorAll("[data-coloured]")) part.hidden = !known.isShown("accounts") || part.dataset.coloured !== chosen.by || (part.dataset.pipeline ?? chosen.pipeline) !== chosen.pipeline;
  if (!market || !known.isShown("density")) return;
  const part = document.querySelector('[data-legend="density"]'), layer = figure.value, { bounds, most, colours } = classes({ layer, known: market }, map.getZoom());
  const number = (value, digits = 0) => value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: digits }), percent = (share) => `${number(100 * share, share < .1 ? 1 : 0)} %`;
  part.querySelector("h3").textContent = figure.selectedOptions[0].dataset.title;
  fillLegend(part, colours, told(layer, bounds, most, number, percent, part.dataset));
  part.querySelector("small").textContent = layer === "surface" ? part.dataset.spread : most ? part.dataset.most.replace("{n}", layer === "penetration" ? percent(most) : number(Math.ceil(most))) : "";
}
/** Map, legend and list follow what colours the accounts. */
function recoloured() {
  if (pipeline) pipeline.closest("label").hidden = chosen.by !== "stage" || pipeline.options.length < 2;
  known.refresh();
  legend();
  list();
}
const fetchMarket = async () => { market ??= await fetch("/api/v1/density").then((answer) => answer.json()); known.refresh(); };
if (figure && [...figure.options].some((one) => one.value === asked.get("market"))) figure.value = asked.get("market");
panelOfLayers.addEventListener("change", async ({ target }) => {
  if (target.name === "by" || target.name === "pipeline") {
    chosen[target.name] = target.value;
    recoloured();
    address();
    return;
  }
  const of = { market: "density", kind: "prospects" }[target.name];
  if (!of && target !== basemap && !target.matches("[data-layer]")) return;
  const box = of ? boxes.find((one) => one.value === of) : target;
  if (of) box.checked = true; // whoever chooses a figure or a kind wants to see it
  known.toggle(box.value, box.checked);
  if (box.value === "prospects" && outlineOf(chosen.filter)) list();
  if (box.value === "density" && box.checked) await fetchMarket();
  legend();
  address();
});
if (known.isShown("density")) fetchMarket().then(legend);
map.on("zoomend", legend);
document.addEventListener("themechange", legend);
legend();

// the card of what was clicked
let popup, cards = 0;
async function popped(path, at, kind = "") {
  const mine = (cards += 1);
  const answer = await fetch(path, { headers: { Accept: "text/html", "HX-Request": "true" } });
  const text = await answer.text();
  if (!answer.ok || mine !== cards) return; // something else was clicked meanwhile
  popup?.remove();
  popup = new maplibregl.Popup({ maxWidth: kind ? "320px" : "280px", offset: kind ? 0 : 12, focusAfterOpen: false, className: kind }).setLngLat(at).setHTML(text).addTo(map);
  window.htmx?.process(popup.getElement());
}
export async function card(id, at) {
  chosen.selected = id;
  known.refresh();
  await popped(`/home/accounts/${id}?${new URLSearchParams(staged())}`, at);
  popup?.on("close", () => { if (chosen.selected === id) { chosen.selected = ""; known.refresh(); } });
}
const firmCard = (id, at) => popped(`/density/firms/${id}`, at);
function ticketCard(hits, at) {
  const ids = [...new Set(hits.map((hit) => hit.properties.id))].slice(0, 100);
  return popped(`/tickets/card?${new URLSearchParams(ids.map((id) => ["ids", id]))}`, at);
}
const clickable = ["ticket-pins", "lead-pins", "account-pins", "route-stops", "track-stops", "incoming-reports", "prospect-points"];
const bubbles = ["ticket-bubbles", "account-bubbles", "prospect-bubbles"];
const hitsAt = (point, layers) => map.queryRenderedFeatures(point, { layers: layers.filter((id) => map.getLayer(id)) });
hoverCards(map, () => Boolean(lasso?.isDrawing() || popup?.isOpen()));
map.on("click", ({ lngLat, point }) => {
  if (lasso?.isDrawing() || reach?.take(lngLat) || ringed?.take(lngLat)) return;
  const hits = hitsAt(point, clickable), [hit] = hits, [bubble] = hit ? [] : hitsAt(point, bubbles), [cell] = hit || bubble ? [] : hitsAt(point, ["market-cells"]);
  if (hit?.layer.id === "ticket-pins") ticketCard(hits.filter((one) => one.layer.id === "ticket-pins"), hit.geometry.coordinates);
  else if (hit?.layer.id === "lead-pins") popped(`/leads/${hit.properties.id}/card`, hit.geometry.coordinates);
  else if (hit?.layer.id === "prospect-points") firmCard(hit.properties.id, hit.geometry.coordinates);
  else if (hit?.properties.id) card(hit.properties.id, hit.geometry.coordinates);
  else if (bubble) map.easeTo({ center: bubble.geometry.coordinates, zoom: map.getZoom() + 2 });
  else if (cell?.properties.cell) popped(`/density/cells/${cell.properties.cell}?${new URLSearchParams(kind() ? { kind: kind() } : {})}`, lngLat, "cell-popup");
});
map.on("mousemove", ({ point }) => {
  map.getCanvas().style.cursor = hitsAt(point, [...clickable, ...bubbles, "market-cells"]).length ? "pointer" : "";
});
document.addEventListener("escape", () => popup?.remove());
if (canvas.dataset.turning) {
  turningButtons(JSON.parse(canvas.dataset.turning), (button) => {
    for (const source of ["leads", "prospects"]) if (map.getSource(source)) map.refreshTiles(source);
    if (button.dataset.prospect && popup?.isOpen()) firmCard(button.dataset.prospect, popup.getLngLat());
    list();
  });
}
map.on("contextmenu", ({ lngLat }) => {
  const choices = [[canvas.dataset.newLead, "/leads/new"], [canvas.dataset.newHere, "/accounts/new"]].filter(([text]) => text);
  if (!choices.length) return;
  const menu = document.createElement("div");
  menu.className = "stack tight";
  for (const [text, path] of choices) {
    const link = document.createElement("a");
    link.href = `${path}?lon=${lngLat.lng.toFixed(7)}&lat=${lngLat.lat.toFixed(7)}`;
    link.textContent = text;
    menu.append(link);
  }
  popup?.remove();
  popup = new maplibregl.Popup().setLngLat(lngLat).setDOMContent(menu).addTo(map);
});

// the list
const listed = document.querySelector("#listed");
let turn = 0;
async function list() {
  const mine = (turn += 1), query = new URLSearchParams(Object.entries({ filter: chosen.filter, q: chosen.q }).filter(([, value]) => value));
  const answer = await fetch(`/home/accounts?${new URLSearchParams([...query, ...Object.entries({ ...staged(), ...firms() })])}`, { headers: { "HX-Request": "true" } });
  const text = await answer.text();
  if (mine !== turn) return; // another filter was chosen meanwhile
  refill(listed, text);
  listed.dataset.filter = chosen.filter;
  document.querySelector("#total").textContent = listed.querySelector("[data-total]")?.dataset.total ?? "";
  document.querySelector("#as-list").href = query.size ? `/accounts?${query}` : "/accounts";
}
/** The address of the page says what it shows, so that it can be passed on; Back takes the last choice away. Panning is no choice. */
let isSettled = false;
function address() {
  const layers = boxes.filter((box) => box.checked).map((box) => box.value).join(" ");
  const kept = { by: chosen.by === "class" ? "" : chosen.by, pipeline: chosen.by === "stage" && pipeline?.options.length > 1 ? chosen.pipeline : "", market: known.isShown("density") && figure?.value !== "prospects" ? figure?.value : "", kind: kind(), basemap: basemap.checked ? "" : "off", leads: chosenLeads.filter, tickets: chosenTickets.filter, day: other.day, rings: ringed?.state.centre?.join(",") };
  const query = new URLSearchParams(Object.entries({ filter: chosen.filter, q: chosen.q, ...kept }).filter(([, value]) => value));
  if (layers !== usual) query.set("layers", layers || "none");
  const search = query.size ? `?${query}` : "";
  if (search !== location.search) history[isSettled ? "pushState" : "replaceState"](null, "", `/${search}${location.hash}`);
}
/** Show what the address asks for, after Back or Forward. */
function restore() {
  const back = new URLSearchParams(location.search), layers = back.has("layers") ? back.get("layers") : usual, filter = back.get("filter") ?? "";
  const elsewhere = [["q", chosen.q], ["leads", chosenLeads.filter], ["tickets", chosenTickets.filter], ["rings", ringed?.state.centre?.join(",")]];
  if (elsewhere.some(([name, now]) => (back.get(name) ?? "") !== (now ?? ""))) { location.reload(); return; }
  const coloured = [back.get("by") ?? "class", back.get("pipeline") ?? chosen.pipeline], isRecoloured = coloured.some((one, at) => one !== [chosen.by, chosen.pipeline][at]);
  [chosen.by, chosen.pipeline] = coloured;
  panelOfLayers.querySelector("[name=by]").value = chosen.by;
  if (pipeline) pipeline.value = chosen.pipeline;
  if (figure) figure.value = back.get("market") ?? "prospects";
  if (kinds) kinds.value = back.get("kind") ?? "";
  basemap.checked = back.get("basemap") !== "off";
  for (const box of boxes) box.checked = layers.split(" ").includes(box.value);
  for (const box of [...boxes, basemap]) if (box.checked !== known.isAsked(box.value)) known.toggle(box.value, box.checked);
  if ((back.get("day") ?? "") !== other.day) shownDay.show(back.get("day"));
  if (known.isShown("density")) fetchMarket().then(legend);
  if (filter !== chosen.filter) {
    chosen.filter = filter;
    said();
    reach?.draw();
    found();
  } else known.refresh();
  if (isRecoloured) recoloured();
  legend();
}
addEventListener("popstate", restore);
viewsControl(document.querySelector("#views"), () => {
  const query = new URLSearchParams(location.search);
  query.delete("filter");
  const { lng, lat } = map.getCenter();
  return { filter: chosen.filter || null, map: `${query}#at=${map.getZoom().toFixed(2)}/${lat.toFixed(5)}/${lng.toFixed(5)}` };
});
const shownDay = dayControl(document.querySelector("#day"), (drawn) => {
  other = drawn;
  document.querySelector("#day-hint").hidden = !drawn.day || drawn.routes.length + drawn.tracks.length > 0;
  known.refresh();
  legend();
  address();
});
if (asked.get("day")) shownDay.show(asked.get("day"));
const ringsBox = panelOfLayers.querySelector("#rings");
if (ringsBox) {
  ringed = ringsControl(ringsBox, document.querySelector("#rings-hint"), known, () => { legend(); address(); });
  const centre = asked.get("rings")?.split(",").map(Number);
  if (centre?.length === 2 && centre.every(Number.isFinite)) ringed.around(centre);
}
list();
address();
const control = document.querySelector("#reach");
if (control) {
  reach = reachControl(control, known, chosen, () => { list(); address(); legend(); tab("accounts"); });
  reach.draw();
  legend();
}
lasso = lassoControl(document.querySelector("#lasso"), known, chosen, () => { said(); filtered(); });
lasso.read();
page.addEventListener("click", (event) => {
  const row = event.target.closest(".listed[data-account]");
  if (!row || event.ctrlKey || event.metaKey || !row.dataset.lon) return;
  event.preventDefault();
  const at = [Number(row.dataset.lon), Number(row.dataset.lat)];
  map.easeTo({ center: at, zoom: Math.max(14, map.getZoom()), duration: 300 });
  card(row.dataset.account, at);
});

// chips: each is a term in the filter's text
for (const chip of document.querySelectorAll(".chip[data-term]")) {
  chip.addEventListener("click", () => {
    const parts = chosen.filter.split(" and ").map((part) => part.trim()).filter(Boolean);
    const isOn = parts.includes(chip.dataset.term);
    chosen.filter = (isOn ? parts.filter((part) => part !== chip.dataset.term) : [...parts, chip.dataset.term]).join(" and ");
    said();
    filtered();
  });
}

// the filter editor says the same in words
const { editor } = document.querySelector("[data-filter-editor]");
const said = () => editor.put(chosen.filter);
/** The chips, the map and the list follow the filter. */
function found() {
  const parts = chosen.filter.split(" and ");
  for (const chip of document.querySelectorAll(".chip[data-term]")) chip.setAttribute("aria-pressed", String(parts.includes(chip.dataset.term)));
  lasso.read();
  known.refresh();
  list();
}
function filtered() {
  found();
  address();
  tab("accounts");
}
page.addEventListener("filterchange", ({ detail }) => { chosen.filter = detail; filtered(); });

// the drawer
function tab(name) {
  for (const one of document.querySelectorAll("[data-tab]")) one.setAttribute("aria-selected", String(one.dataset.tab === name));
  document.querySelector("#today").hidden = name !== "today";
  listed.hidden = name !== "accounts";
}
for (const one of document.querySelectorAll("[data-tab]")) one.addEventListener("click", () => tab(one.dataset.tab));
const drawer = document.querySelector("#drawer");
drawer.querySelector(".handle").addEventListener("click", () => {
  const next = drawer.classList.contains("closed") ? "" : drawer.classList.contains("full") ? "closed" : "full";
  drawer.classList.remove("closed", "full");
  if (next) drawer.classList.add(next);
  setTimeout(() => map.resize(), 200);
});
drawer.querySelector(".grip").addEventListener("pointerdown", (event) => {
  event.preventDefault();
  const move = ({ clientX }) => { page.style.gridTemplateColumns = `${Math.max(240, Math.min(720, clientX - page.getBoundingClientRect().left))}px minmax(0, 1fr)`; map.resize(); };
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerup", () => document.removeEventListener("pointermove", move), { once: true });
});

// today, every five seconds; 304 while nothing has happened
const panel = document.querySelector("#today");
let etag = "";
async function ask() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/home/today", { cache: "no-store", headers: { "HX-Request": "true", ...(etag ? { "If-None-Match": etag } : {}) } });
    if (answer.status === 200) {
      etag = answer.headers.get("ETag") ?? "";
      refill(panel, await answer.text());
      today = JSON.parse(panel.querySelector("#drawn").textContent);
      shownDay.turned(panel.querySelector("#drawn").dataset.day);
      if (!other.day) known.refresh();
      legend();
    }
  } catch { /* no network for a moment: the next try shows it */ }
}
await ask();
isSettled = true;
setInterval(ask, 5000);
document.addEventListener("visibilitychange", ask);
page.dataset.ready = "true";
if (strange.length) toast(page.dataset.notKnown.replace("{names}", strange.join(", ").slice(0, 100)));
