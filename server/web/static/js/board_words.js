// What a change does, in sentences.

import { clock, fill, make, span } from "./board_lanes.js";

/** Why a change cannot be. */
export function refusal(one, words) {
  const text = words.refusal[one.code];
  if (!text) return one.text;
  const values = { name: one.name, day: one.day, at: clock(one.at ?? 0), limit: clock(one.limit ?? 0), at_time: span(one.at ?? 0), limit_time: span(one.limit ?? 0), at_n: one.at, limit_n: one.limit };
  return fill(text, values);
}

const signed = (s) => (s < 0 ? "−" : "+") + span(s);

/** The effect as nodes for the bar below the timetable. */
export function effect(found, what, words) {
  const nodes = [];
  if (!found.is_possible) {
    nodes.push(make("b", "bad-text", `${words.no}: `), document.createTextNode(refusal(found.refusal, words)));
    return nodes;
  }
  const stop = found.routes.flatMap((route) => route.stops.map((s) => ({ ...s, rep_day: route.rep_day }))).find((s) => s.key === what.key);
  const head = what.isOut ? fill(words.leaves, { name: what.name }) : !stop ? words.unchanged : fill(words.begins, { name: what.name, at: clock(stop.starts_s), day: what.day(stop.rep_day) });
  nodes.push(make("b", "", head));
  const minutes = Math.round(found.drive_s / 60);
  const drive = minutes > 0 ? fill(words.more, { time: span(found.drive_s) }) : minutes < 0 ? fill(words.less, { time: span(found.drive_s) }) : words.same;
  nodes.push(make("span", `tag ${minutes > 0 ? "warn" : "good"}`, drive), make("span", `tag ${found.value_s < 0 ? "warn" : "good"}`, fill(words.worth, { value: signed(found.value_s) })));
  if (found.shifted.length) {
    const most = Math.max(...found.shifted.map((one) => Math.abs(one.after_s - one.before_s)));
    const tag = make("span", "tag", fill(words.shifted, { n: found.shifted.length, time: span(most) }));
    tag.title = found.shifted.map((one) => fill(words.shift, { name: one.name, a: clock(one.before_s), b: clock(one.after_s) })).join("\n");
    nodes.push(tag);
  }
  for (const one of found.cautions) nodes.push(make("span", "tag warn", fill(words.caution[one.code] ?? one.code, { name: one.name, amount: one.amount, time: span(one.amount) })));
  return nodes;
}
