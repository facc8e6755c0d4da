// The card of a stop: what it is, and everything that can be done to it without dragging.

import { api, fragment, said } from "./app.js";
import { clock, fill, make, span } from "./board_lanes.js";

const isCoarse = matchMedia("(pointer: coarse)");

export function stopCard(box, board) {
  const { words } = board;
  const button = (text, run, look = "") => { const one = make("button", `button small ${look}`, text); one.addEventListener("click", run); return one; };
  const line = (...nodes) => { const one = make("div", "row"); one.append(...nodes); return one; };

  function show(key) {
    const there = key && board.find(key);
    if (!there) { box.replaceChildren(make("p", "quiet", words.choose)); return; }
    const { stop, route } = there, repDay = board.repDay(route.rep_day), may = board.board().is_editable && !repDay?.is_over;
    const name = make("a", "", stop.name), head = make("h2");
    name.href = `/accounts/${stop.account_id}`;
    head.append(name);
    if (stop.account_class) head.append(" ", make("span", `class-mark class-${stop.account_class}`, stop.account_class));
    const tags = line();
    if (stop.is_pinned) tags.append(make("span", "tag info", words.pinned));
    if (repDay?.is_locked) tags.append(make("span", "tag info", words.locked));
    if (stop.held_from_s !== null) tags.append(make("span", "tag", fill(words.held, { at: clock(stop.held_from_s) })));
    if (stop.is_other_reps) tags.append(make("span", "tag warn", words.other));
    if (stop.appointment) tags.append(make("span", "tag info", words.kind[stop.appointment] ?? stop.appointment));
    if (stop.overdue_days > 0) tags.append(make("span", "tag warn", fill(words.overdue, { n: stop.overdue_days })));
    if (stop.visit_state && stop.visit_state !== "planned") tags.append(make("span", "tag good", words.state[stop.visit_state] ?? stop.visit_state));
    const isOpen = stop.windows.length && !(stop.windows[0][0] === 0 && stop.windows[0][1] >= 86400);
    const open = isOpen ? stop.windows.map(([a, b]) => fill(words.open, { a: clock(a), b: clock(b) })).join(", ") : words.anytime;
    const facts = [
      make("p", "", `${board.dayOf(route.rep_day)} · ${clock(stop.starts_s)}–${clock(stop.ends_s)}`), make("p", "quiet", stop.address),
      make("p", "small quiet", `${open}${!stop.is_pinned && stop.slack_s !== null ? ` · ${fill(words.slack, { time: span(stop.slack_s) })}` : ""} · ${fill(words.drive, { time: span(stop.drive_s) })}`),
    ];
    const more = make("div", "stack tight stop-more");
    box.replaceChildren(head, tags, ...facts, more);
    fragment(more, `/plans/${board.plan}/stops/${route.rep_day}/${route.stops.indexOf(stop) + 1}`);
    if (may) box.append(actions(stop, repDay));
    const offers = make("div", "stack tight");
    offers.id = "offers";
    box.append(offers);
  }

  function actions(stop, repDay) {
    const all = make("div", "stack tight"), isFree = !stop.is_pinned && !repDay.is_locked;
    const first = line(button(stop.is_pinned ? words.unpin : words.pin, () => board.change({ kind: "pin", visit: stop.key, is_on: !stop.is_pinned })));
    if (isFree) first.append(button(words.out, () => board.change({ kind: "take_out", visit: stop.key }), "danger"), button(words.move, () => offer(stop.key, stop.name)));
    all.append(first);
    if (!isFree) return all;
    const time = make("input", "time-input"), label = make("label", "row small");
    time.type = "time";
    time.value = clock(stop.starts_s);
    label.append(words.at, time);
    const change = () => { const [h, m] = time.value.split(":").map(Number); return { kind: "place", visit: stop.key, rep_day: repDay.id, at_s: h * 3600 + m * 60 }; };
    all.append(line(label, button(words.show, () => time.value && board.preview(change(), { key: stop.key, name: stop.name })), button(words.do, () => time.value && board.change(change()), "primary")));
    return all;
  }

  /** A finger cannot hover: the first touch shows the effect, the second makes it. */
  function arm(row) {
    row.parentElement.querySelectorAll(".armed").forEach((one) => { one.classList.remove("armed"); one.querySelector(".again")?.remove(); });
    row.classList.add("armed");
    row.append(make("span", "tag info again", words.press));
  }

  /** Where a visit fits: the best place of every rep-day; looking at one shows its effect, pressing it makes it. */
  async function offer(key, name) {
    if (!board.find(key)) box.replaceChildren(make("h2", "", name), Object.assign(make("div", "stack tight"), { id: "offers" }));
    const list = box.querySelector("#offers");
    const answer = await api("GET", board.url(`/offers?visit=${encodeURIComponent(key)}`));
    if (!answer.ok) { list.replaceChildren(make("p", "bad-text", said(answer, words.offline))); return; }
    list.replaceChildren(make("h3", "", answer.body.items.length ? words.offers : words.nowhere));
    for (const one of answer.body.items) {
      const row = make("button", "offer"), change = { kind: "place", visit: key, rep_day: one.rep_day, at_s: null };
      row.append(make("b", "num", clock(one.start_s)), make("span", "grow", board.dayOf(one.rep_day)), make("span", `tag ${one.drive_s > 0 ? "warn" : "good"}`, `${one.drive_s < 0 ? "−" : "+"}${span(one.drive_s)}`));
      row.addEventListener("focus", () => board.preview(change, { key, name }));
      row.addEventListener("mouseenter", () => { if (document.activeElement !== row) board.preview(change, { key, name }); });
      row.addEventListener("mouseleave", () => board.reset());
      row.addEventListener("click", () => { if (isCoarse.matches && !row.classList.contains("armed")) arm(row); else board.change(change); });
      list.append(row);
    }
    list.querySelector("button")?.focus({ preventScroll: true });
  }
  return { show, offer };
}
