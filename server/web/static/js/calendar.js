// The calendar: entries are dragged, stretched, or moved with the keyboard; a click on a free place makes a new one.

import { api, said, toast } from "./app.js";

const root = document.querySelector(".cal");
const STEP = 15;
const hourPx = () => document.querySelector(".cal-column").getBoundingClientRect().height / 24;
const columns = [...document.querySelectorAll(".cal-column")];
const scroller = document.querySelector(".cal-scroll");
if (scroller && scroller.scrollHeight > scroller.clientHeight) scroller.scrollTop = hourPx() * 6.9;

const number = (block, name) => Number(block.style.getPropertyValue(name));
const minutes = (block) => ({ top: number(block, "--top"), length: number(block, "--length") });

/** The moment at which a wall clock of the page's zone shows a day and a minute. */
function moment(day, minute) {
  const wanted = Date.UTC(...day.split("-").map((part, at) => Number(part) - (at === 1 ? 1 : 0)), 0, minute);
  let found = wanted;
  for (let round = 0; round < 2; round += 1) found = wanted - (shownAt(found) - found);
  return new Date(found);
}

const format = new Intl.DateTimeFormat("en-GB", { timeZone: root?.dataset.zone ?? "UTC", hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
function shownAt(at) {
  const part = Object.fromEntries(format.formatToParts(new Date(at)).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute);
}

async function save(block, starts, ends, isUndo = false) {
  const before = { starts: new Date(block.dataset.starts), ends: new Date(block.dataset.ends) };
  const body = { starts_at: starts.toISOString(), ends_at: ends.toISOString() };
  const answer = block.dataset.at
    ? await api("PUT", `/api/v1/activities/${block.dataset.id}/repeats`, { at: block.dataset.at, ...body })
    : await api("PATCH", `/api/v1/activities/${block.dataset.id}`, body, { "If-Match": `"${block.dataset.rev}"` });
  if (!answer.ok) { toast(said(answer, root.dataset.failed)); setTimeout(() => location.reload(), 1500); return; }
  if (!block.dataset.at) block.dataset.rev = answer.body.rev;
  block.dataset.starts = answer.body.starts_at;
  block.dataset.ends = answer.body.ends_at;
  if (isUndo) { location.reload(); return; }
  toast(root.dataset.moved, { label: root.dataset.undo, run: () => save(block, before.starts, before.ends, true) });
}

function show(block, column, top, length) {
  block.style.setProperty("--top", top);
  block.style.setProperty("--length", length);
  block.style.setProperty("--lane", 0);
  block.style.setProperty("--lanes", 1);
  if (block.parentElement !== column) column.append(block);
  const time = block.querySelector("time");
  const clock = (at) => `${String(Math.floor(at / 60) % 24).padStart(2, "0")}:${String(at % 60).padStart(2, "0")}`;
  if (time) time.textContent = `${clock(top)}–${clock(top + length)}`;
}

function settle(block) {
  const { top, length } = minutes(block);
  const starts = moment(block.parentElement.dataset.day, top);
  return save(block, starts, new Date(starts.getTime() + length * 60000));
}

const lasting = (block) => Math.max(STEP, Math.round((new Date(block.dataset.ends) - new Date(block.dataset.starts)) / 60000));

function drag(event, block) {
  const stretches = event.target.closest(".cal-handle") !== null;
  const start = { x: event.clientX, y: event.clientY, ...minutes(block), length: lasting(block) };
  let moved = false;
  block.setPointerCapture(event.pointerId);
  const move = (now) => {
    const by = Math.round(((now.clientY - start.y) / hourPx()) * 60 / STEP) * STEP;
    if (!moved && Math.hypot(now.clientX - start.x, now.clientY - start.y) < 5) return;
    moved = true;
    block.classList.add("moving");
    if (stretches) { show(block, block.parentElement, start.top, Math.max(STEP, Math.min(1440 - start.top, start.length + by))); return; }
    const under = columns.find((column) => { const box = column.getBoundingClientRect(); return now.clientX >= box.left && now.clientX < box.right; });
    show(block, under ?? block.parentElement, Math.max(0, Math.min(1440 - STEP, start.top + by)), start.length);
  };
  const end = async () => {
    block.removeEventListener("pointermove", move);
    block.classList.remove("moving");
    if (!moved) return;
    block.addEventListener("click", (click) => click.preventDefault(), { once: true });
    await settle(block);
  };
  block.addEventListener("pointermove", move);
  block.addEventListener("pointerup", end, { once: true });
}

document.addEventListener("pointerdown", (event) => {
  const block = event.target.closest?.(".cal-block.may-move");
  if (block && event.button === 0 && getComputedStyle(block).position === "absolute") drag(event, block);
});

const dialog = document.querySelector("#new-entry");
function openNew(day = null, minute = null) {
  if (!dialog) return;
  if (day) dialog.querySelector("[name=day]").value = day;
  if (minute !== null) dialog.querySelector("[name=time]").value = `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
  dialog.showModal();
  dialog.querySelector("[name=subject]").focus();
}

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-new]")) { openNew(); return; }
  if (event.target.closest?.("[data-all]")) {
    for (const box of document.querySelectorAll(".cal-people [name=who]")) box.checked = true;
    event.target.closest("form").submit();
    return;
  }
  const column = event.target.classList?.contains("cal-column") ? event.target : null;
  if (column) openNew(column.dataset.day, Math.floor(((event.clientY - column.getBoundingClientRect().top) / hourPx()) * 2) * 30);
  const cell = event.target.classList?.contains("cal-cell") ? event.target : null;
  if (cell) openNew(cell.dataset.day);
});

const later = new WeakMap();
let lastG = -Infinity; // `g` and a letter go to another room
document.addEventListener("keydown", (event) => {
  if (event.target.closest?.("input, textarea, select, dialog[open]")) return;
  const block = event.target.closest?.(".cal-block.may-move");
  if (block && event.altKey && event.key.startsWith("Arrow")) {
    event.preventDefault();
    const { top } = minutes(block);
    const length = lasting(block);
    const down = event.key === "ArrowDown" ? STEP : event.key === "ArrowUp" ? -STEP : 0;
    const side = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const at = columns.indexOf(block.parentElement) + side;
    if (!columns[at]) return;
    if (event.shiftKey) show(block, block.parentElement, top, Math.max(STEP, length + down));
    else show(block, columns[at], Math.max(0, Math.min(1440 - STEP, top + down)), length);
    const { length: now, top: here } = minutes(block);
    const starts = moment(block.parentElement.dataset.day, here);
    block.focus();
    clearTimeout(later.get(block));
    later.set(block, setTimeout(() => save(block, starts, new Date(starts.getTime() + now * 60000)), 400));
    return;
  }
  const afterG = performance.now() - lastG < 1200;
  lastG = event.key === "g" ? performance.now() : -Infinity;
  if (event.ctrlKey || event.metaKey || event.altKey || afterG) return;
  if (event.key === "n") { event.preventDefault(); openNew(); return; }
  document.querySelector(`[data-go="${CSS.escape(event.key)}"]`)?.click();
});
