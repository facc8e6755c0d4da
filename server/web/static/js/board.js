// The plan board: a timetable beside the map. The server says what a change would do; nothing is guessed here.

import { api, fragment, said, toast } from "./app.js";
import { boardMap } from "./board_map.js";
import { startMoving } from "./board_moving.js";
import { clock, drawLane, drawList, fill, hours, make, span } from "./board_lanes.js";
import { stopCard } from "./board_stop.js";
import { effect, refusal } from "./board_words.js";

const $ = (selector, root = document) => root.querySelector(selector), $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const page = $("#board"), grid = $("#board-grid"), bar = $("#effect"), plan = page.dataset.plan;
const words = JSON.parse($("#board-words").textContent), colours = JSON.parse(page.dataset.colours), dayNames = JSON.parse(page.dataset.days);
const idle = bar.innerHTML, narrow = matchMedia("(max-width: 899px)");
const state = { board: null, repDays: new Map(), routes: new Map(), names: new Map(), day: "", mapDay: Object.keys(dayNames)[0], rep: "", chosen: null, range: null, colours };
let map = null;

const url = (rest = "") => `/api/v1/plans/${plan}/board${rest}`;
export const dayOf = (repDay) => `${dayNames[repDay.split("/")[1]] ?? repDay.split("/")[1]}, ${state.names.get(repDay.split("/")[0]) ?? ""}`;
const find = (key) => { for (const route of state.routes.values()) { const stop = route.stops.find((s) => s.key === key); if (stop) return { stop, route }; } return null; };

/** Take over a board, or the changed part of one. */
function take(board, changed = null) {
  state.board = board;
  state.names = new Map(board.reps.map((rep) => [rep.id, rep.name]));
  state.repDays = new Map(board.rep_days.map((one) => [one.id, one]));
  if (changed) for (const id of changed) state.routes.delete(id); else state.routes.clear();
  for (const route of board.routes) state.routes.set(route.rep_day, route);
  state.range = hours(board.rep_days);
  $("#board-undo").disabled = !board.is_editable || board.undo_to === null;
  $("#board-redo").disabled = !board.is_editable || board.redo_to === null;
  $("#waiting-count").textContent = String(board.waiting.length);
}

async function load() {
  const answer = await api("GET", url());
  if (!answer.ok) { toast(said(answer, words.offline)); return; }
  take(answer.body);
  const select = $("#board-rep");
  const isFirst = select.options.length === 1;
  if (isFirst) for (const rep of answer.body.reps) select.add(new Option(rep.name, rep.id));
  if (isFirst && Object.keys(dayNames).length === 1) state.day = state.mapDay; // a week of one day would only hide the names
  if (narrow.matches && (isFirst || !state.day)) {
    state.day = state.mapDay;
    const first = [...state.routes.keys()].find((id) => id.endsWith(state.day));
    state.rep = select.value = (first ?? answer.body.reps[0]?.id ?? "").split("/")[0];
  }
  draw();
}

// --- drawing -------------------------------------------------------------------------------------------------------

/** Rows and columns of the present view: week by rep, one day of all, or one rep's days. */
function rows() {
  const reps = state.board.reps.filter((rep) => !state.rep || rep.id === state.rep), days = state.board.days.filter((day) => state.board.rep_days.some((one) => one.day === day));
  if (state.rep && !state.day) return days.map((day) => ({ name: dayNames[day], days: [`${state.rep}/${day}`], colour: colours[state.rep], isDay: true }));
  return reps.map((rep) => ({ name: rep.name, rep: rep.id, days: (state.day ? [state.day] : days).map((day) => `${rep.id}/${day}`), colour: colours[rep.id] }));
}

function draw() {
  const isWeek = !state.day && !state.rep, isList = narrow.matches && state.day && state.rep;
  grid.className = `board-grid ${isWeek ? "week" : "wide"}${isList ? " as-list" : ""}`;
  grid.style.setProperty("--hours", String((state.range.to - state.range.from) / 3600));
  for (const one of $$("#board-days button")) one.setAttribute("aria-pressed", String(one.dataset.day === state.day));
  const list = rows(), head = make("div", "board-head");
  head.append(make("span"));
  if (isWeek) for (const one of list[0]?.days ?? []) { const day = one.split("/")[1], button = make("button", day === state.mapDay ? "on-map" : "", dayNames[day]); button.dataset.goDay = day; head.append(button); }
  else head.append(scale());
  grid.replaceChildren(head, ...(isList ? [dayList()] : list.map(row)));
  grid.style.setProperty("--row", `${Math.round(Math.max(isWeek ? 46 : 64, Math.min(isWeek ? 76 : 104, ($("#board-scroll").clientHeight - 30) / Math.max(1, list.length))))}px`);
  head.style.setProperty("--columns", String(isWeek ? list[0]?.days.length ?? 1 : 1));
  drawSeen();
  drawFigures();
  drawLock();
  light();
}

function scale() {
  const line = make("div", "scale"), { from, to } = state.range;
  for (let s = from; s <= to; s += 3600) { const mark = make("span", "", String(s / 3600)); mark.style.left = `${(100 * (s - from)) / (to - from)}%`; line.append(mark); }
  return line;
}

function row(one) {
  const line = make("div", "board-row");
  line.style.setProperty("--rep", one.colour);
  line.style.setProperty("--columns", String(one.days.length));
  const stops = one.days.reduce((n, id) => n + (state.routes.get(id)?.stops.length ?? 0), 0), drive = one.days.reduce((n, id) => n + (state.routes.get(id)?.drive_s ?? 0), 0);
  const name = make(one.rep ? "button" : "div", "board-name");
  if (one.rep) name.dataset.goRep = one.rep;
  name.append(make("b", "", one.name), make("small", "quiet", `${stops === 1 ? words.stop : fill(words.stops, { n: stops })} · ${span(drive)}`));
  line.append(name, ...one.days.map((id) => { const lane = make("div", "lane"); lane.dataset.repDay = id; return lane; }));
  return line;
}

/** Draw the rows that are seen, and empty the others: 50 reps' weeks are more than a browser should carry. */
function drawSeen() {
  const { top, bottom } = narrow.matches ? { top: 0, bottom: innerHeight } : $("#board-scroll").getBoundingClientRect();
  for (const line of $$(".board-row", grid)) {
    const box = line.getBoundingClientRect(), isSeen = box.bottom > top - 200 && box.top < bottom + 200;
    if (isSeen === (line.dataset.drawn === "true")) continue;
    line.dataset.drawn = String(isSeen);
    for (const lane of $$(".lane", line)) if (isSeen) drawOne(lane); else lane.replaceChildren();
  }
}
for (const [where, kind] of [[$("#board-scroll"), "scroll"], [$("#main"), "scroll"], [window, "resize"]]) where.addEventListener(kind, () => state.board && drawSeen(), { passive: true });

function drawOne(lane, route = null, marks = null) {
  const repDay = state.repDays.get(lane.dataset.repDay);
  lane.classList.toggle("off", !repDay);
  lane.classList.toggle("locked", Boolean(repDay?.is_locked));
  lane.classList.toggle("over", Boolean(repDay?.is_over));
  if (repDay) drawLane(lane, repDay, route ?? state.routes.get(repDay.id), state.range, words, marks);
  if (state.chosen) lane.querySelector(`[data-key="${CSS.escape(state.chosen)}"]`)?.classList.add("chosen");
}

function dayList() {
  const id = `${state.rep}/${state.day}`, list = make("ol", "stops board-list");
  list.style.setProperty("--rep", colours[state.rep]);
  drawList(list, state.repDays.get(id), state.routes.get(id), words);
  return list;
}

const redrawLanes = () => { if (grid.classList.contains("as-list")) draw(); else for (const lane of $$(".lane", grid)) if (lane.childElementCount) drawOne(lane); };

function drawFigures() {
  const sum = state.board.summary, box = $("#board-figures");
  if (!sum) return;
  const km = `${(sum.distance_m / 1000).toLocaleString(page.dataset.language, { maximumFractionDigits: 0 })} km`;
  box.replaceChildren(...[[String(sum.visits), box.dataset.visits], [span(sum.drive_s), box.dataset.driving], [km, box.dataset.distance], [span(sum.value_s), box.dataset.value], [String(sum.unplanned), box.dataset.waiting]].map(([value, name]) => { const one = make("span"); one.append(make("b", "num", value), make("small", "quiet", name)); return one; }));
  const worth = box.children[3];
  worth.title = box.dataset.meaning;
  worth.tabIndex = 0;
  worth.className = "explained";
}

function chosenDays() {
  return state.board.rep_days.filter((one) => (!state.day || one.day === state.day) && (!state.rep || one.rep_id === state.rep)).map((one) => one.id);
}
function drawLock() {
  const button = $("#board-lock"), ids = chosenDays();
  button.hidden = !state.board.is_editable || (!state.day && !state.rep) || !ids.length;
  const isLocked = ids.every((id) => state.repDays.get(id).is_locked), isOne = ids.length === 1;
  $("span", button).textContent = isLocked ? (isOne ? words.unlock : words.unlockDay) : isOne ? words.lock : words.lockDay;
  button.dataset.on = String(!isLocked);
}

// --- changing ------------------------------------------------------------------------------------------------------

function say(...nodes) {
  bar.classList.toggle("idle", !nodes.length);
  bar.classList.remove("refused");
  if (nodes.length) bar.replaceChildren(...nodes); else bar.innerHTML = idle;
}
const describe = (found, what) => effect(found, { ...what, day: dayOf }, words);

/** What a change would do; drawn on the lanes it touches and said below them. */
async function preview(change, what) {
  const answer = await api("POST", url("/preview"), { change });
  if (!answer.ok) { say(make("b", "bad-text", said(answer, words.offline))); return null; }
  redrawLanes();
  say(...describe(answer.body, what));
  bar.classList.toggle("refused", !answer.body.is_possible);
  for (const route of answer.body.routes) {
    const lane = $(`.lane[data-rep-day="${CSS.escape(route.rep_day)}"]`, grid);
    if (!lane) continue;
    const known = new Map([...state.routes.values()].flatMap((r) => r.stops.map((s) => [s.key, s]))), marks = new Map([[change.visit, "moving"], ...answer.body.shifted.map((one) => [one.visit, "shifted"])]);
    const stops = route.stops.map((s) => ({ name: what.name, slack_s: null, appointment: null, ...known.get(s.key), ...s }));
    drawOne(lane, { ...route, stops, break_length_s: null }, marks);
  }
  return answer.body;
}

/** Make a change; when somebody was faster the person is told what they did and can make it all the same. */
/** A key for one request; `crypto.randomUUID` is not there on a plain http address of a company's network. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16)).map((b, i) => (i === 6 ? (b & 15) | 64 : i === 8 ? (b & 63) | 128 : b));
  return [...bytes].map((b, i) => ([4, 6, 8, 10].includes(i) ? "-" : "") + b.toString(16).padStart(2, "0")).join("");
}
async function commit(change, request = uuid()) {
  const answer = await api("POST", url("/changes"), { base: state.board.version, change, request });
  if (answer.ok) { taken(answer.body); return answer.body; }
  refuse(answer, () => commit(change, request));
  return null;
}
function taken({ effect: found, board }) {
  const changed = found.routes.map((route) => route.rep_day);
  take(board, changed);
  if (state.chosen && !find(state.chosen)) state.chosen = null;
  draw();
  say();
  showStop();
  map?.draw({ forget: changed.map((id) => id.split("/")[1]) });
  refresh();
}
async function refuse(answer, again) {
  if (answer.body?.code === "board_changed") {
    await load();
    tab("history"); // what the other one did stands there
    toast(fill(words.gone, { text: answer.body.detail }), { label: words.again, run: again });
  } else { toast(said(answer, words.offline)); redrawLanes(); say(); }
}
async function goBack(to) {
  const answer = await api("POST", url("/back"), { base: state.board.version, to });
  if (answer.ok) { taken(answer.body); toast(fill(words.back, { n: to })); } else refuse(answer, () => goBack(to));
}
async function change(what) {
  const made = await commit(what);
  if (made) toast(words.made, { label: words.undo, run: () => goBack(state.board.undo_to) });
  return made;
}

// --- panels --------------------------------------------------------------------------------------------------------

function tab(name) {
  redrawLanes();
  say();
  for (const one of $$("#board-tabs button")) one.setAttribute("aria-selected", String(one.dataset.tab === name));
  for (const one of $$(".board-panel")) one.hidden = one.dataset.panel !== name;
  refresh();
}
async function refresh() {
  const panel = $$(".board-panel").find((one) => !one.hidden), target = panel && (panel.matches("[data-fragment]") ? panel : $("[data-fragment]", panel));
  if (target) await fragment(target, target.dataset.fragment);
}
const card = stopCard($("#stop-card"), { plan, words, url, preview, change, find, dayOf, repDay: (id) => state.repDays.get(id), board: () => state.board, reset: () => { redrawLanes(); say(); } });
const showStop = () => card.show(state.chosen);

function choose(key, { open = true } = {}) {
  state.chosen = key;
  const there = find(key);
  if (there) {
    const day = there.route.rep_day.split("/")[1];
    if (day !== state.mapDay) { state.mapDay = day; for (const one of $$("[data-go-day]")) one.classList.toggle("on-map", one.dataset.goDay === day); map?.draw({ fit: true }); }
  }
  light();
  if (open) { tab("stop"); showStop(); if (narrow.matches) $("#stop-card").scrollIntoView({ block: "nearest" }); }
}
function light(key = state.chosen, { isFromMap = false } = {}) {
  for (const one of $$(".block.lit, .listed-stop.lit, .block.chosen", grid)) one.classList.remove("lit", "chosen");
  if (state.chosen) $(`[data-key="${CSS.escape(state.chosen)}"]`, grid)?.classList.add("chosen");
  const node = key && $(`[data-key="${CSS.escape(key)}"]`, grid);
  node?.classList.add("lit");
  if (isFromMap) { node?.scrollIntoView({ block: "nearest" }); return; }
  const there = key && find(key);
  map?.light(there && there.stop.lon !== null && there.route.rep_day.endsWith(state.mapDay) ? [there.stop.lon, there.stop.lat] : null);
}

// --- what people do ------------------------------------------------------------------------------------------------

$("#board-days").addEventListener("click", ({ target }) => { const one = target.closest("button"); if (one) goDay(one.dataset.day); });
function goDay(day) { state.day = day; if (day) state.mapDay = day; draw(); map?.draw({ fit: true }); }
$("#board-rep").addEventListener("change", ({ target }) => { state.rep = target.value; draw(); map?.draw({ fit: true }); });
$("#board-undo").addEventListener("click", () => goBack(state.board.undo_to));
$("#board-redo").addEventListener("click", () => goBack(state.board.redo_to));
$("#board-lock").addEventListener("click", ({ currentTarget }) => change({ kind: "lock", rep_days: chosenDays(), is_on: currentTarget.dataset.on === "true" }));
$("#board-tabs").addEventListener("click", ({ target }) => { const one = target.closest("button"); if (one) { tab(one.dataset.tab); if (one.dataset.tab === "stop") showStop(); } });
grid.addEventListener("click", ({ target }) => {
  const one = target.closest("[data-key], [data-go-day], [data-go-rep]");
  if (one?.dataset.key) choose(one.dataset.key);
  else if (one?.dataset.goDay) goDay(one.dataset.goDay);
  else if (one?.dataset.goRep) { state.rep = $("#board-rep").value = one.dataset.goRep; draw(); map?.draw({ fit: true }); }
});
for (const kind of ["mouseover", "focusin"]) grid.addEventListener(kind, ({ target }) => { const one = target.closest("[data-key]"); if (one && !document.body.classList.contains("holding")) light(one.dataset.key); });
grid.addEventListener("mouseleave", () => light());
page.addEventListener("click", ({ target }) => {
  const one = target.closest("[data-back], [data-drop], [data-offers]");
  if (one?.dataset.back) goBack(Number(one.dataset.back));
  else if (one?.dataset.drop) change({ kind: "drop", visit: one.dataset.drop });
  else if (one?.dataset.offers) { tab("stop"); card.offer(one.dataset.offers, one.dataset.name); }
});
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !event.target.closest("input, textarea, select")) {
    const button = $(event.shiftKey ? "#board-redo" : "#board-undo");
    if (!button.disabled) { event.preventDefault(); button.click(); }
  }
});
narrow.addEventListener("change", draw);

let asked = 0;
$("#board-add")?.addEventListener("input", async ({ target }) => {
  const mine = ++asked, q = target.value.trim(), box = $("#board-found");
  if (q.length < 2) { box.replaceChildren(); return; }
  const answer = await api("GET", `/api/v1/accounts?limit=6&q=${encodeURIComponent(q)}`);
  if (mine !== asked || !answer.ok) return;
  box.replaceChildren(...answer.body.items.map((one) => { const button = make("button", "listed-stop"); button.dataset.add = one.id; button.dataset.name = one.name; button.append(make("b", "", one.name)); return button; }));
  if (!answer.body.items.length) box.append(make("p", "quiet", words.nothing));
});
$("#board-found")?.addEventListener("click", async ({ target }) => {
  const one = target.closest("[data-add]");
  if (!one) return;
  const made = await commit({ kind: "add", account_id: one.dataset.add });
  if (!made) return;
  $("#board-found").replaceChildren();
  $("#board-add").value = "";
  toast(fill(words.adding, { name: one.dataset.name }));
  const wish = state.board.waiting.find((w) => w.is_added && w.account_id === one.dataset.add);
  if (wish) { tab("stop"); card.offer(wish.key, wish.name); }
});

await load();
startMoving({ grid, panel: $("#waiting"), state, words, preview, change, find, dayOf, say, refused: (one) => toast(`${words.no}: ${refusal(one, words)}`), redraw: () => { redrawLanes(); say(); } });
if (page.dataset.tab) tab(page.dataset.tab); else refresh();
page.dataset.ready = "true";
map = await boardMap($("#plan-map"), plan, () => ({ day: state.day || state.mapDay, rep: state.rep, routes: state.routes, colours }), (key, isChosen) => { if (isChosen && key) choose(key); else light(key ?? state.chosen, { isFromMap: true }); });
light();
