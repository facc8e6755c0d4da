// Lanes of the board: one rep-day as a strip of time with shift, drives, break and stops. Only what is seen is drawn.

export const clock = (s) => `${String(Math.floor(s / 3600)).padStart(2, "0")}:${String(Math.floor((s % 3600) / 60)).padStart(2, "0")}`;
export const span = (s) => { const m = Math.round(Math.abs(s) / 60); return m >= 60 ? `${Math.floor(m / 60)} h ${String(m % 60).padStart(2, "0")} min` : `${m} min`; };
export const fill = (text, values) => text.replace(/{(\w+)}/g, (_, name) => values[name] ?? "");
export const make = (tag, className, text) => { const one = document.createElement(tag); if (className) one.className = className; if (text !== undefined) one.textContent = text; return one; };
const icon = (name) => document.querySelector(`#icon-${name}`).content.cloneNode(true);

/** The hours that the board shows: all shifts, rounded outwards. */
export function hours(repDays) {
  const from = Math.floor(Math.min(...repDays.map((d) => d.open_s)) / 3600), to = Math.ceil(Math.max(...repDays.map((d) => d.latest_s)) / 3600);
  return repDays.length ? { from: from * 3600, to: to * 3600 } : { from: 8 * 3600, to: 18 * 3600 };
}

const at = (range, s) => (100 * (s - range.from)) / (range.to - range.from);
function put(node, range, begin, end) {
  node.style.left = `${at(range, begin)}%`;
  node.style.width = `${Math.max(0, at(range, end) - at(range, begin))}%`;
  return node;
}

/** What a stop says of itself to a screen reader and on hovering. */
export function label(stop, words) {
  const parts = [`${clock(stop.starts_s)}–${clock(stop.ends_s)} ${stop.name}`];
  if (stop.is_pinned) parts.push(words.pinned);
  if (stop.appointment) parts.push(words.kind[stop.appointment] ?? stop.appointment);
  if (stop.drive_s) parts.push(fill(words.drive, { time: span(stop.drive_s) }));
  if (stop.slack_s !== null && !stop.is_pinned) parts.push(fill(words.slack, { time: span(stop.slack_s) }));
  return parts.join(", ");
}

function block(stop, number, range, words, changed) {
  const button = put(make("button", "block"), range, stop.starts_s, stop.ends_s);
  button.dataset.key = stop.key;
  button.append(make("b", "", String(number)), make("span", "", stop.name));
  if (stop.is_pinned) button.append(icon("pin"));
  if (stop.is_other_reps) button.append(icon("swap"));
  button.setAttribute("aria-label", label(stop, words));
  button.title = label(stop, words);
  button.classList.toggle("pinned", Boolean(stop.is_pinned));
  button.classList.toggle("tight", stop.slack_s !== null && stop.slack_s < 600 && !stop.appointment && !stop.is_pinned);
  button.classList.toggle("promised", Boolean(stop.appointment));
  button.classList.toggle("done", stop.visit_state === "done");
  if (changed) button.classList.add(changed);
  return button;
}

/** Fill a lane. `route` may be a previewed one: then `marks` says which stops are new or moved. */
export function drawLane(lane, repDay, route, range, words, marks = null) {
  lane.replaceChildren();
  lane.append(put(make("i", "shift"), range, repDay.open_s, repDay.close_s));
  if (!route || !route.stops.length) { lane.append(make("span", "nobody", repDay.is_over ? words.over : words.nobody)); return; }
  let left = route.leaves_s;
  route.stops.forEach((stop, index) => {
    if (stop.drive_s) lane.append(put(make("i", `drive${stop.is_estimated ? " estimated" : ""}`), range, left, Math.max(left, stop.arrives_s)));
    if (stop.starts_s - stop.arrives_s > 300) lane.append(put(make("i", "wait"), range, stop.arrives_s, stop.starts_s));
    lane.append(block(stop, index + 1, range, words, marks?.get(stop.key)));
    left = stop.ends_s;
  });
  lane.append(put(make("i", "drive"), range, left, route.returns_s));
  if (route.break_s !== null) { const rest = put(make("i", "rest"), range, route.break_s, route.break_s + (route.break_length_s ?? repDay.break_s?.[0] ?? 0)); rest.title = words.break; lane.append(rest); }
}

/** The windows of a stop on its lane, while it is picked up or chosen. */
export function drawWindows(lane, windows, range) {
  lane.querySelectorAll(".window").forEach((one) => one.remove());
  for (const [open, close] of windows) lane.append(put(make("i", "window"), range, Math.max(open, range.from), Math.min(close, range.to)));
}

/** The time under a pointer on a lane, snapped. */
export function timeAt(lane, x, range, step) {
  const box = lane.getBoundingClientRect();
  const seconds = range.from + ((x - box.left) / box.width) * (range.to - range.from);
  return Math.max(0, Math.round(seconds / step) * step);
}

/** The day of one rep as a list, for narrow screens and for reading. */
export function drawList(list, repDay, route, words) {
  list.replaceChildren();
  if (!route || !route.stops.length) { list.append(make("p", "quiet pad-all", repDay?.is_over ? words.over : words.nobody)); return; }
  const line = (time, className, ...inside) => { const row = make("li", className); row.append(make("span", "time", time), ...inside); list.append(row); return row; };
  line(clock(route.leaves_s), "anchor", make("span", "", route.home.name));
  let isRested = route.break_s === null;
  const rest = () => { isRested = true; line(clock(route.break_s), "anchor", make("span", "", `${words.break}, ${span(route.break_length_s)}`)); };
  route.stops.forEach((stop, index) => {
    if (!isRested && route.break_s < stop.starts_s) rest();
    line("", "drive", make("span", "quiet small", `${fill(words.drive, { time: span(stop.drive_s) })}${stop.is_estimated ? ` · ${words.estimated}` : ""}`));
    const button = make("button", "listed-stop");
    button.dataset.key = stop.key;
    const text = make("span", "grow"), tags = make("small", "quiet", `${fill(words.until, { at: clock(stop.ends_s) })}${stop.address ? ` · ${stop.address}` : ""}`);
    text.append(make("b", "", stop.name), tags);
    button.append(make("span", "no", String(index + 1)), text);
    if (stop.is_pinned) button.append(icon("pin"));
    if (stop.appointment) button.append(make("span", "tag info", words.kind[stop.appointment] ?? stop.appointment));
    line(clock(stop.starts_s), "", button);
  });
  if (!isRested) rest();
  line("", "drive", make("span", "quiet small", fill(words.drive, { time: span(route.last_drive_s) })));
  line(clock(route.returns_s), "anchor", make("span", "", route.home.name));
}
