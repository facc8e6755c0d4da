// The small pictures on a map, drawn when the map first asks for them by name: pins by class, bubbles, numbers, prospects.

import { css } from "./basemap.js";

export const CLASS = {
  A: { colour: "#0072B2", radius: 8.5, shape: "diamond" },
  B: { colour: "#00805F", radius: 6.5, shape: "square" },
  C: { colour: "#A8557F", radius: 5.5, shape: "circle" },
  "": { colour: "#7A8781", radius: 5, shape: "circle" },
};
export const RATIO = 2;

function canvas(side) {
  const made = document.createElement("canvas");
  made.width = made.height = Math.ceil(side * RATIO);
  const pen = made.getContext("2d");
  pen.scale(RATIO, RATIO);
  return [pen, () => pen.getImageData(0, 0, made.width, made.height)];
}

function outline(pen, shape, centre, r) {
  pen.beginPath();
  if (shape === "diamond") {
    const w = r * 1.15;
    pen.moveTo(centre, centre - w); pen.lineTo(centre + w, centre); pen.lineTo(centre, centre + w); pen.lineTo(centre - w, centre); pen.closePath();
  } else if (shape === "square") pen.roundRect(centre - r, centre - r, 2 * r, 2 * r, 2.5);
  else pen.arc(centre, centre, r, 0, 2 * Math.PI);
}

/** A pin: the shape and size tell the class; overdue has a red ring and a dot; a prospect is hollow; former is grey. */
export function pin(kind, status, isOverdue, isSelected) {
  const look = CLASS[kind] ?? CLASS[""];
  const side = 34, centre = side / 2;
  const [pen, done] = canvas(side);
  const colour = isSelected ? css("--blaze") : status === "former" ? "#8A948F" : look.colour;
  const r = look.radius + (isSelected ? 2 : 0);
  outline(pen, look.shape, centre, r + (isOverdue ? 4 : 2));
  pen.fillStyle = "#fff";
  pen.fill();
  if (isOverdue) {
    outline(pen, look.shape, centre, r + 2.6);
    pen.strokeStyle = "#B03226"; pen.lineWidth = 2.2; pen.stroke();
  }
  outline(pen, look.shape, centre, r);
  if (status === "prospect" && !isSelected) { pen.lineWidth = 2.5; pen.strokeStyle = colour; pen.save(); pen.clip(); pen.lineWidth = 5; pen.stroke(); pen.restore(); }
  else { pen.fillStyle = colour; pen.fill(); }
  return done();
}

/** A bubble with its count and a ring of class shares. */
export function bubble(count, shares) {
  const r = 13 + Math.min(16, Math.sqrt(count) * 1.1), side = 2 * r + 6, centre = side / 2;
  const [pen, done] = canvas(side);
  pen.beginPath(); pen.arc(centre, centre, r + 2, 0, 7); pen.fillStyle = css("--paper"); pen.fill();
  let angle = -Math.PI / 2;
  const rest = Math.max(0, count - shares.a - shares.b - shares.c);
  for (const [kind, part] of [["A", shares.a], ["B", shares.b], ["C", shares.c], ["", rest]]) {
    if (!part) continue;
    const next = angle + (part / count) * 2 * Math.PI;
    pen.beginPath(); pen.arc(centre, centre, r - 1, angle, next); pen.lineWidth = 5; pen.strokeStyle = CLASS[kind].colour; pen.stroke();
    angle = next;
  }
  pen.fillStyle = css("--ink"); pen.font = '650 12px "Inter Variable", sans-serif'; pen.textAlign = "center"; pen.textBaseline = "middle";
  pen.fillText(count >= 10000 ? `${Math.round(count / 1000)}k` : String(count), centre, centre + .5);
  return done();
}

/** A stop's number. */
export function numbered(text, colour, look) {
  const side = 30, centre = side / 2;
  const [pen, done] = canvas(side);
  pen.beginPath(); pen.arc(centre, centre, 12, 0, 7); pen.fillStyle = "#fff"; pen.fill();
  pen.beginPath(); pen.arc(centre, centre, 10.5, 0, 7);
  pen.fillStyle = colour; pen.globalAlpha = look === "done" ? .45 : 1; pen.fill(); pen.globalAlpha = 1;
  pen.fillStyle = colour === "#F0E442" || colour === "#E69F00" || colour === "#56B4E9" ? "#16211C" : "#fff";
  pen.font = '680 11px "Inter Variable", sans-serif'; pen.textAlign = "center"; pen.textBaseline = "middle";
  pen.fillText(look === "home" ? "⌂" : text, centre, centre + .5);
  return done();
}

/** An arrow along a leg, pointing right. */
export function arrow(colour) {
  const side = 14, [pen, done] = canvas(side);
  pen.beginPath(); pen.moveTo(4, 2.5); pen.lineTo(10.5, 7); pen.lineTo(4, 11.5);
  pen.strokeStyle = "#fff"; pen.lineWidth = 5; pen.lineCap = pen.lineJoin = "round"; pen.stroke();
  pen.strokeStyle = colour; pen.lineWidth = 2.2; pen.stroke();
  return done();
}

/** A report that came in: done, missed or otherwise. */
export function report(state) {
  const side = 26, centre = side / 2, [pen, done] = canvas(side);
  const colour = state === "done" ? "#187144" : state === "missed" || state === "cancelled" ? "#B03226" : "#8F5400";
  pen.beginPath(); pen.arc(centre, centre, 10, 0, 7); pen.fillStyle = "#fff"; pen.fill();
  pen.beginPath(); pen.arc(centre, centre, 8.5, 0, 7); pen.fillStyle = colour; pen.fill();
  pen.strokeStyle = "#fff"; pen.lineWidth = 2.2; pen.lineCap = pen.lineJoin = "round"; pen.beginPath();
  if (state === "done") { pen.moveTo(9, 13.4); pen.lineTo(12, 16.2); pen.lineTo(17.2, 10.2); }
  else if (colour === "#B03226") { pen.moveTo(10, 10); pen.lineTo(16, 16); pen.moveTo(16, 10); pen.lineTo(10, 16); }
  else { pen.moveTo(13, 8.5); pen.lineTo(13, 13.5); pen.lineTo(16, 15); }
  pen.stroke();
  return done();
}

/** A prospect: a small hollow ring. */
export function prospect() {
  const side = 14, [pen, done] = canvas(side);
  pen.beginPath(); pen.arc(7, 7, 4.6, 0, 7); pen.fillStyle = css("--paper"); pen.fill();
  pen.lineWidth = 1.8; pen.strokeStyle = css("--info"); pen.stroke();
  return done();
}

/** A ticket: a triangle in the colour of its priority. */
export function ticket(colour) {
  const side = 20, [pen, done] = canvas(side);
  pen.beginPath(); pen.moveTo(10, 3.2); pen.lineTo(17, 15.4); pen.lineTo(3, 15.4); pen.closePath();
  pen.lineJoin = "round"; pen.lineWidth = 4; pen.strokeStyle = css("--map-halo"); pen.stroke();
  pen.fillStyle = colour; pen.fill();
  return done();
}

/** Grey diagonal lines: nothing is known here. */
export function hatch() {
  const side = 8, [pen, done] = canvas(side);
  pen.strokeStyle = css("--quiet"); pen.globalAlpha = .35; pen.lineWidth = 1;
  for (const at of [-8, 0, 8]) { pen.beginPath(); pen.moveTo(at, 8); pen.lineTo(at + 8, 0); pen.stroke(); }
  return done();
}

/** The picture that a name asks for. */
export function drawingOf(name) {
  const [kind, ...rest] = name.split("|");
  switch (kind) {
    case "pin": return pin(rest[0], rest[1], rest[2] === "1", rest[3] === "1");
    case "bubble": return bubble(+rest[0], { a: +rest[1], b: +rest[2], c: +rest[3] });
    case "stop": return numbered(rest[0], rest[1], rest[2]);
    case "arrow": return arrow(rest[0]);
    case "report": return report(rest[0]);
    case "prospect": return prospect();
    case "ticket": return ticket(rest[0]);
    case "hatch": return hatch();
    default: return null;
  }
}
