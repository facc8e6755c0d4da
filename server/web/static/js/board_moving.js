// Moving stops by pointer and by keyboard. While one is held, the server is asked what dropping it here would do.

import { clock, drawWindows, fill, timeAt } from "./board_lanes.js";

const FAR = 5, PATIENCE = 60;

export function startMoving(board) {
  const { grid, panel, state, words, find } = board;
  let held = null, ghost = null, waits = null, isAsking = false;

  const lanes = () => [...grid.querySelectorAll(".lane:not(.off)")];
  const isWeek = () => grid.classList.contains("week");
  const step = () => (isWeek() ? 900 : 300);

  function hold(key, name, from) {
    const there = find(key);
    held = { key, name, from: there?.route.rep_day ?? null, stop: there?.stop ?? null, target: null, asked: "", answer: null, grab: 0, ...from };
    document.body.classList.add("holding");
    showWindows();
  }

  /** When the customer is open on the stop's own day. */
  function showWindows() {
    const lane = held?.stop && lanes().find((one) => one.dataset.repDay === held.from);
    if (lane) drawWindows(lane, held.stop.windows, state.range);
  }

  /** In the week another day means its best place; a lane that is wide enough means the very time. */
  function changeFor(target) {
    if (target === "out") return { kind: "take_out", visit: held.key };
    const isExact = !isWeek() || target.repDay === held.from;
    return { kind: "place", visit: held.key, rep_day: target.repDay, at_s: isExact ? target.at : null };
  }

  function aim(target) {
    held.target = target;
    const wanted = target && JSON.stringify(changeFor(target));
    if (wanted === held.asked) return;
    held.asked = wanted ?? "";
    held.answer = null;
    clearTimeout(waits);
    if (target) waits = setTimeout(ask, PATIENCE); else board.redraw();
  }

  async function ask() {
    if (isAsking || !held?.target) return;
    isAsking = true;
    const mine = held, asked = held.asked;
    const answer = await board.preview(JSON.parse(asked), { key: held.key, name: held.name, isOut: held.target === "out" });
    isAsking = false;
    if (held !== mine) { if (!held) board.redraw(); return; }
    showWindows();
    if (held.asked === asked) held.answer = answer; else ask();
  }

  async function drop() {
    const mine = held, change = held.target && changeFor(held.target), isSame = held.stop && held.target?.repDay === held.from && held.target.at === held.stop.starts_s;
    letGo();
    if (!change || isSame) return;
    if (mine.answer && !mine.answer.is_possible) { board.refused(mine.answer.refusal); return; }
    const made = await board.change(change);
    if (made) grid.querySelector(`[data-key="${CSS.escape(mine.key)}"]`)?.focus({ preventScroll: true });
  }

  function letGo() {
    clearTimeout(waits);
    ghost?.remove();
    ghost = held = null;
    document.body.classList.remove("holding");
    document.querySelectorAll(".lane.target, .drop-out").forEach((one) => one.classList.remove("target", "drop-out"));
    grid.querySelectorAll(".window").forEach((one) => one.remove());
    board.redraw();
  }

  // --- by pointer --------------------------------------------------------------------------------------------------

  function begin(event) {
    const one = event.target.closest(".block, [data-waiting] > summary");
    if (!one || event.button !== 0 || !state.board.is_editable || held) return;
    const key = one.dataset.key ?? one.parentElement.dataset.waiting, there = find(key), start = { x: event.clientX, y: event.clientY };
    const name = there?.stop.name ?? one.parentElement.dataset.name, box = one.getBoundingClientRect();
    const move = (next) => {
      if (!held) {
        if (Math.hypot(next.clientX - start.x, next.clientY - start.y) < FAR) return;
        hold(key, name, { grab: there ? start.x - box.left : 0 });
        ghost = document.createElement("div");
        ghost.className = "carried";
        ghost.textContent = name;
        document.body.append(ghost);
      }
      follow(next);
    };
    const end = (next) => {
      document.removeEventListener("pointermove", move);
      document.removeEventListener("pointerup", end);
      document.removeEventListener("pointercancel", stop);
      if (held && next) { block(); drop(); }
    };
    const stop = () => { end(null); if (held) letGo(); };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", end);
    document.addEventListener("pointercancel", stop);
    held = null;
    begin.stop = stop;
  }
  /** The click that ends a drag opens nothing. */
  function block() {
    const swallow = (event) => { event.stopPropagation(); event.preventDefault(); };
    addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => removeEventListener("click", swallow, { capture: true }), 0);
  }

  function follow(event) {
    ghost.style.transform = `translate(${event.clientX + 10}px, ${event.clientY + 12}px)`;
    const under = document.elementFromPoint(event.clientX, event.clientY), lane = under?.closest(".lane:not(.off)"), out = under?.closest(".board-panel");
    document.querySelectorAll(".lane.target, .drop-out").forEach((one) => one.classList.remove("target", "drop-out"));
    if (lane) {
      lane.classList.add("target");
      const at = timeAt(lane, event.clientX - held.grab, state.range, step());
      ghost.textContent = isWeek() && lane.dataset.repDay !== held.from ? `${held.name} · ${words.best}` : `${held.name} · ${clock(at)}`;
      aim({ repDay: lane.dataset.repDay, at });
    } else if (out && held.stop) { out.classList.add("drop-out"); ghost.textContent = held.name; aim("out"); } else { ghost.textContent = held.name; aim(null); }
  }
  grid.addEventListener("pointerdown", begin);
  panel.addEventListener("pointerdown", begin);
  grid.addEventListener("dragstart", (event) => event.preventDefault());

  // --- by keyboard -------------------------------------------------------------------------------------------------

  function near(lane, by) {
    const all = lanes(), at = all.indexOf(lane);
    return all[Math.max(0, Math.min(all.length - 1, at + by))];
  }
  document.addEventListener("keydown", (event) => {
    const one = event.target.closest?.(".block");
    if (!held && one && event.key === " " && state.board.is_editable) {
      event.preventDefault();
      const { stop, route } = find(one.dataset.key);
      hold(stop.key, stop.name, { isKeyboard: true });
      held.target = { repDay: route.rep_day, at: stop.starts_s };
      tell();
      return;
    }
    if (held && event.key === "Escape") { event.preventDefault(); event.stopImmediatePropagation(); const key = held.key; begin.stop?.(); if (held) letGo(); grid.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus(); return; }
    if (!held?.isKeyboard) { if (one && ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].includes(event.key)) { event.preventDefault(); walk(one, event.key); } return; }
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key], upDown = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); event.stopImmediatePropagation(); drop(); return; }
    if (!sideways && !upDown) return;
    event.preventDefault();
    const lane = lanes().find((l) => l.dataset.repDay === held.target.repDay), columns = isWeek() ? Number(lane.parentElement.style.getPropertyValue("--columns")) : 1;
    if (upDown) aim({ ...held.target, repDay: near(lane, upDown * columns).dataset.repDay });
    else if (isWeek() && event.shiftKey) aim({ ...held.target, repDay: near(lane, sideways).dataset.repDay });
    else aim({ ...held.target, at: Math.max(0, held.target.at + sideways * (isWeek() ? 900 : 300) * (event.shiftKey ? 6 : 1)) });
    tell();
  }, { capture: true });
  const tell = () => board.say(document.createTextNode(fill(words.moving, { name: held.name, day: board.dayOf(held.target.repDay), at: clock(held.target.at) })));

  /** Arrows without a stop in hand walk from stop to stop. */
  function walk(one, key) {
    const all = [...grid.querySelectorAll(".block")], at = all.indexOf(one);
    if (key === "ArrowLeft" || key === "ArrowRight") { all[at + (key === "ArrowRight" ? 1 : -1)]?.focus(); return; }
    const row = one.closest(".board-row"), next = key === "ArrowDown" ? row.nextElementSibling : row.previousElementSibling;
    const x = one.getBoundingClientRect().left;
    [...(next?.querySelectorAll(".block") ?? [])].sort((a, b) => Math.abs(a.getBoundingClientRect().left - x) - Math.abs(b.getBoundingClientRect().left - x))[0]?.focus();
  }
}
