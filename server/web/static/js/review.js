// The review desk: one account after the other, each decided with one key; the next ones are fetched before they are wanted.

import { api, toast } from "./app.js";
import { boxOf, circle, createMap } from "./map.js";
import { place } from "./layers.js";

const $ = (selector, root = document) => root.querySelector(selector);
const desk = $("#desk"), card = $("#card"), words = desk.dataset;
const rows = [...document.querySelectorAll(".waiting")];
const said = (key, name) => words[key].replace("{n}", name);
const read = (selector, root) => JSON.parse($(selector, root).textContent);

const cache = new Map();
const GUESS = 0.05;
const isMiddle = (one) => ["street", "locality"].includes(one.grade);
const UNSEEN_MS = 350; // nobody has looked at a card that was drawn so short a time ago: a second click was meant for the one before
const DECIDING = "[data-take], [data-accept], [data-refuse], [data-save-address], [data-do=place], [data-do=aside]";
const undoable = read("#decided").map(([id, site, name]) => ({ id, site, name, isEarlier: true })).reverse();
let at = -1, view = null, decided = 0, isUndoing = false, working = Promise.resolve();

/** A card's HTML; asked for once, forgotten when something about the site has changed. */
function fetched(site) {
  if (!cache.has(site)) {
    const answer = fetch(`/review/${site}/card`, { headers: { Accept: "text/html", "HX-Request": "true" } }).then(async (reply) => {
      const text = await reply.text();
      if (!reply.ok) throw new Error(reply.status < 500 ? new DOMParser().parseFromString(text, "text/html").body.textContent.trim() : "");
      return text;
    });
    answer.catch(() => { if (cache.get(site) === answer) cache.delete(site); });
    cache.set(site, answer);
  }
  return cache.get(site);
}

const collection = () => ({ type: "FeatureCollection", features: view?.circles ?? [] });
const mapElement = $("#desk-map"), hint = $("#desk-hint");
const made = await createMap(mapElement, { layers: [place(collection)] });
let markers = [], pin = null;

/** A number on the map: a click takes it, and dragged away it stays and leaves the pin there. */
function marker(text, kind, [lon, lat], run) {
  const element = document.createElement("button");
  element.className = `map-number ${kind}`;
  element.textContent = text;
  element.addEventListener("click", (event) => { event.stopPropagation(); run(); });
  const number = new maplibregl.Marker({ element, draggable: true }).setLngLat([lon, lat]).addTo(made.map);
  number.on("dragend", () => {
    const { lng, lat: north } = number.getLngLat();
    number.setLngLat([lon, lat]);
    view.isMoved = true;
    putPin(lng, north);
  });
  return number;
}

/** Show the pin that Enter takes; people drag it. On the middle of a street or a town it waits to be dragged to the house. */
function putPin(lon, lat, isMiddle = false) {
  view.isMiddle = isMiddle;
  if (!pin) {
    const element = document.createElement("div");
    element.className = "desk-pin";
    element.append(document.createElement("i"));
    pin = new maplibregl.Marker({ element, draggable: true, anchor: "bottom" });
    pin.on("dragstart", () => { view.isMoved = true; view.isMiddle = false; });
  }
  pin.setLngLat([lon, lat]).addTo(made.map);
  hint.hidden = true;
}
made.map.on("click", (event) => { if (view) { view.isMoved = true; putPin(event.lngLat.lng, event.lngLat.lat); } });

function draw() {
  const { site, options, proposals } = view.data;
  markers.forEach((one) => one.remove());
  pin?.remove();
  markers = [
    ...options.map((one, i) => marker(String(i + 1), "", [one.lon, one.lat], () => take(i + 1))),
    ...proposals.map((one) => marker("P", "proposed", [one.lon, one.lat], () => settle("accept", one.id))),
  ];
  const best = options[0], isGuess = !best || best.confidence < GUESS; // Enter takes no wild guess; a number or a click does
  const standsOnGuess = best && isGuess && Math.abs(site.lon - best.lon) < 1e-5 && Math.abs(site.lat - best.lat) < 1e-5;
  // nor the middle of a street or a town
  const isOwn = site.lon !== null && !standsOnGuess && !Object.keys(view.data.address).length;
  const first = isOwn ? (isMiddle(site) ? undefined : site) : isGuess || isMiddle(best) ? undefined : best;
  view.offered = first === best && !isOwn ? 1 : null;
  if (first) putPin(first.lon, first.lat); else pin = null;
  hint.hidden = Boolean(first);
  const rings = [...options.map((one) => circle([one.lon, one.lat], one.uncertainty_m)), ...proposals.map((one) => circle([one.lon, one.lat], one.uncertainty_m))];
  if (site.lon !== null && site.uncertainty_m > 0) rings.push(circle([site.lon, site.lat], site.uncertainty_m));
  view.circles = rings;
  made.data("place", collection());
  const points = [...options, ...proposals, ...(site.lon !== null ? [site] : [])].map((p) => ({ type: "Feature", geometry: { type: "Point", coordinates: [p.lon, p.lat] } }));
  if (points.length) made.fit(boxOf({ features: [...points, ...rings] }), { padding: mapElement.clientHeight < 320 ? 40 : 80, maxZoom: 17 });
}

function fill(html) {
  card.innerHTML = html;
  const article = $(".account-card", card);
  if (!article) { view = null; return; }
  view = { site: article.dataset.site, rev: Number(article.dataset.rev), name: article.dataset.name, data: read("#card-data", card), isMoved: false, circles: [] };
  card.dataset.site = view.site;
  draw();
  const drawn = view;
  opened(false);
  setTimeout(() => { if (view === drawn) opened(true); }, UNSEEN_MS);
}

/** Whether what is on the screen can be decided: once, and not in the moment in which it appears. */
function opened(isOpen) {
  view.isOpen = isOpen;
  for (const button of card.querySelectorAll(DECIDING)) button.disabled = !isOpen;
  card.toggleAttribute("data-decidable", isOpen);
}

/** Show the account at a place of the queue. */
async function show(to) {
  if (!rows.length) return;
  if (to >= rows.length) { end(); return; }
  at = Math.max(0, to);
  const row = rows[at];
  rows.forEach((one) => one.toggleAttribute("aria-current", one === row));
  row.setAttribute("aria-current", "true");
  row.scrollIntoView({ block: "nearest" });
  $("#at").textContent = (at + 1).toLocaleString(document.documentElement.lang);
  $("#desk-list").classList.remove("open");
  const { html, refusal } = await fetched(row.dataset.site).then((html) => ({ html }), (error) => ({ refusal: error instanceof TypeError ? "" : error.message }));
  if (rows[at] !== row) return;
  if (html === undefined) { // no key may decide the account that was shown before
    clear();
    card.replaceChildren();
    toast(refusal || words.silent, { label: words.again, run: () => show(rows.indexOf(row)) });
    return;
  }
  fill(html);
  claim();
  for (const next of rows.slice(at + 1, at + 4)) if (!next.classList.contains("decided")) fetched(next.dataset.site).catch(() => null);
}

/** Say that this account is looked at, and show who else does. */
async function claim() {
  const site = view?.site;
  if (!site || document.hidden) return;
  const answer = await api("POST", `/api/v1/review/${site}/claim`, {}).catch(() => null);
  if (view?.site !== site || !answer?.ok) return;
  $(".desk-other", card)?.remove();
  if (!answer.body.by) return;
  const note = $("#desk-other").content.firstElementChild.cloneNode(true);
  $("span", note).textContent = said("looking", answer.body.by);
  $(".account-card", card)?.prepend(note);
}
setInterval(claim, 60_000);

/** Nothing is shown that could be decided. */
function clear() {
  view = null;
  hint.hidden = true;
  markers.forEach((one) => one.remove());
  pin?.remove();
  pin = null;
  made.data("place", collection());
}

/** Nothing follows: say so, and offer the queue as it is by now. Decisions may still be on their way. */
function end() {
  at = rows.length;
  clear();
  rows.forEach((one) => one.removeAttribute("aria-current"));
  card.replaceChildren($("#desk-end").content.cloneNode(true));
}

function next() {
  let to = at + 1;
  while (rows[to]?.matches(".decided, .taken")) to += 1;
  show(to);
}

function count(step) {
  decided = Math.max(0, decided + step);
  $("#done").hidden = !decided;
  $("#done span").textContent = decided;
}

/** What the server answers; where it does not, the next one is asked all the same. */
const asked = (path, body) => api("POST", path, body).catch(() => ({ ok: false, status: 0, body: null }));

/** Why something was not done, in words. */
const refused = (answer, what) => (answer.body?.detail ? `${answer.body.detail} ${answer.body.help ?? ""}` : [what, words.silent].filter(Boolean).join(" – "));

/** Send a decision and go on at once; what is refused is said, and waits in the queue. */
function decide(verb, body) {
  if (!view?.isOpen) return;
  opened(false);
  const { site, rev, name } = view, row = rows.find((one) => one.dataset.site === site);
  const address = view.data.address;
  row?.classList.add("decided");
  cache.delete(site);
  count(1);
  working = working.then(() => asked(`/api/v1/review/${site}`, { rev, address, ...body })).then((answer) => {
    if (answer.ok) {
      undoable.push({ id: answer.body.id, site });
      recount();
      if ($("#toasts").childElementCount > 3) $("#toasts").firstElementChild.remove();
      toast(said(verb, name), { label: words.undo, run: () => undo(answer.body.id) });
      return;
    }
    row?.classList.remove("decided");
    row?.classList.toggle("taken", answer.body?.code === "decided_already");
    count(-1);
    toast(refused(answer, said("kept", name)), { label: words.again, run: () => show(rows.indexOf(row)) });
  });
  next();
}

/** The legend says how the pins are by now. */
const recount = () => htmx.ajax("GET", "/review/grades", { target: "#grades", swap: "outerHTML" });

function undo(id = null) {
  if (isUndoing) return;
  isUndoing = true;
  working = working.then(async () => {
    const last = id ? undoable.find((one) => one.id === id) : undoable.at(-1);
    if (!last) { toast(words.nothing); return; }
    if (!id && last.isEarlier) { // of another queue, perhaps: it is undone when that is meant
      toast(said("earlier", last.name), { label: words.undo, run: () => undo(last.id) });
      return;
    }
    const answer = await asked(`/api/v1/review/decisions/${last.id}/undo`);
    if (answer.ok || answer.body?.code) undoable.splice(undoable.indexOf(last), 1);
    if (!answer.ok) { toast(refused(answer), answer.body?.code ? undefined : { label: words.again, run: () => undo(last.id) }); return; }
    recount();
    cache.delete(last.site);
    const row = rows.findIndex((one) => one.dataset.site === last.site);
    if (row < 0) { location.reload(); return; } // decided before this page was opened
    if (rows[row].classList.contains("decided")) count(-1);
    rows[row].classList.remove("decided", "taken");
    await show(row);
    $("#toasts").replaceChildren();
    toast(said("undone", view?.name ?? ""));
  }).finally(() => { isUndoing = false; });
}

function take(number) {
  const option = view?.data.options[number - 1];
  if (option) decide("take", { candidate: number, lon: option.lon, lat: option.lat, takes_address: $("#takes-address", card)?.checked ?? false });
}

function placeHere() {
  if (!view?.isOpen) return;
  if (!pin) { toast(words.noPin); return; }
  if (view.isMiddle) { toast(words.middle); return; }
  if (view.offered && !view.isMoved) { take(view.offered); return; } // it keeps the metres of the candidate that it is
  const { lng, lat } = pin.getLngLat();
  decide("place", { lon: lng, lat });
}

function setAside() { if (view) decide("aside", { aside: true, address: {} }); }

function settle(verb, id) {
  if (!id || !view?.isOpen) return;
  if (verb === "accept") { decide("accept", { accept: id, address: {} }); return; }
  const dialog = $("#refusal");
  dialog.showModal();
  dialog.onclose = () => {
    const answer = $("input", dialog).value.trim();
    if (dialog.returnValue === "refuse" && answer) decide("refuse", { refuse: id, answer, address: {} });
    dialog.returnValue = "";
    $("input", dialog).value = "";
  };
}
$("[data-close-refusal]")?.addEventListener("click", () => $("#refusal").close());

const written = () => Object.fromEntries(["street", "postcode", "city", "country"].map((name) => [name, $(`#f-${name}`, card).value.trim()]));

card.addEventListener("submit", async (event) => {
  event.preventDefault();
  document.activeElement?.blur();
  if (event.target.id === "mend") {
    const reply = await fetch(`/review/${view.site}/card?${new URLSearchParams(written())}`, { headers: { Accept: "text/html", "HX-Request": "true" } });
    if (reply.ok) fill(await reply.text()); else toast(new DOMParser().parseFromString(await reply.text(), "text/html").body.textContent.trim());
  } else if (event.target.id === "find") {
    const query = $("#f-find", card).value.trim(), told = $("#find-answer", card);
    if (!query) return;
    const answer = await api("GET", `/api/v1/geocode?${new URLSearchParams({ query })}`);
    const found = answer.ok ? answer.body.items[0] : null;
    if (!found || found.lon === null) { told.textContent = answer.ok ? words.notFound : answer.body?.detail ?? ""; return; }
    told.textContent = [`${found.street} ${found.number}`.trim(), `${found.postcode} ${found.city}`.trim(), `${Math.round(100 * found.confidence)} %`].filter(Boolean).join(", ");
    if (isMiddle(found)) told.append(`. ${words.middle}`);
    view.isMoved = true;
    putPin(found.lon, found.lat, isMiddle(found));
    made.map.easeTo({ center: [found.lon, found.lat], zoom: Math.max(16, made.map.getZoom()), duration: 200 });
  }
});

document.addEventListener("click", (event) => {
  const row = event.target.closest?.(".waiting");
  if (row) { show(rows.indexOf(row)); return; }
  if (event.target.closest?.("#position")) { $("#desk-list").classList.toggle("open"); return; }
  for (const menu of document.querySelectorAll(".desk-bar .pop[open]")) if (!menu.contains(event.target)) menu.open = false;
  const button = event.target.closest?.("[data-take], [data-do], [data-accept], [data-refuse], [data-save-address], [data-keys]");
  if (!button) return;
  const { take: number, do: verb, accept, refuse } = button.dataset;
  if (number) take(Number(number));
  else if (verb === "place") placeHere();
  else if (verb === "skip") next();
  else if (verb === "aside") setAside();
  else if (verb === "undo") undo();
  else if (accept) settle("accept", accept);
  else if (refuse) settle("refuse", refuse);
  else if ("keys" in button.dataset) $("#shortcuts").showModal();
  else decide("address", { address: written() });
});

const keys = {
  1: () => take(1), 2: () => take(2), 3: () => take(3), Enter: placeHere, s: next, x: setAside, u: () => undo(),
  p: () => settle("accept", view?.data.proposals[0]?.id), r: () => settle("refuse", view?.data.proposals[0]?.id),
  e: () => { const mend = $(".mend", card); if (mend) { mend.open = true; $("#f-street", card).focus(); } },
  f: () => $("#f-find", card)?.focus(),
  a: () => { const box = $("#takes-address", card); if (box) box.checked = !box.checked; },
  ArrowRight: () => show(at + 1), ArrowDown: () => show(at + 1), ArrowLeft: () => show(at - 1), ArrowUp: () => show(at - 1),
};
let isGoing = false;
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select, dialog, .top, .rail, .desk-bar");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (isGoing) { isGoing = false; return; }
  if (event.key === "g") { isGoing = true; setTimeout(() => { isGoing = false; }, 1200); return; }
  const run = keys[event.key];
  if (!run || event.repeat && !event.key.startsWith("Arrow") || (event.key === "Enter" && event.target.closest?.("a, summary"))) return;
  event.preventDefault();
  run();
});

await show(0);
desk.dataset.ready = "true";
