// Accounts within an outline drawn on the map: dragged in one stroke, clicked corner by corner, or set by keys; the outline
// is a term of the filter, so that list, tiles, export and segments mean the same accounts.

import { aim } from "./aim.js";
import { css, isDark } from "./basemap.js";

const TERM = /(?:^| and )in polygon \(([^)]*)\)(?= and |$)/;
const MOST = 100; // corners: the filter has to fit into an address
const CLOSE_PX = 8;

/** The corners of the outline that a filter asks for, or null. */
export function outlineOf(filter) {
  const found = filter.match(TERM);
  return found ? found[1].split(",").map((corner) => corner.trim().split(/\s+/).map(Number)) : null;
}

/** A filter with another outline, or with none. */
export function withOutline(filter, corners) {
  const rest = filter.replace(TERM, "").replace(/^ and /, "").trim();
  if (!corners) return rest;
  const term = `in polygon (${corners.map(([lon, lat]) => `${lon.toFixed(5)} ${lat.toFixed(5)}`).join(", ")})`;
  return rest ? `${term} and ${rest}` : term;
}

/** A stroke with fewer corners, none further than `away` from it (Ramer, Douglas and Peucker). */
export function simplified(points, away) {
  const keep = new Set([0, points.length - 1]), todo = [[0, points.length - 1]];
  while (todo.length) {
    const [from, to] = todo.pop();
    const [ax, ay] = points[from], dx = points[to][0] - ax, dy = points[to][1] - ay, length = Math.hypot(dx, dy);
    let most = away, at = -1;
    for (let i = from + 1; i < to; i += 1) {
      const [x, y] = [points[i][0] - ax, points[i][1] - ay];
      const distance = length ? Math.abs(x * dy - y * dx) / length : Math.hypot(x, y);
      if (distance > most) { most = distance; at = i; }
    }
    if (at > 0) { keep.add(at); todo.push([from, at], [at, to]); }
  }
  return points.filter((_, i) => keep.has(i));
}

/** The layer of the outline; `data()` is a list of corners, closed or not, or null. */
export function outline(data) {
  return {
    name: "outline",
    parts() {
      const paint = css("--blaze");
      return {
        sources: { outline: { type: "geojson", data: drawn(data()) } },
        under: [{ id: "outline-area", type: "fill", source: "outline", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": paint, "fill-opacity": isDark() ? .16 : .08 } }],
        over: [
          { id: "outline-edge", type: "line", source: "outline", filter: ["==", ["geometry-type"], "LineString"], paint: { "line-color": paint, "line-width": 2.4, "line-dasharray": [2, 1.4] } },
          { id: "outline-corners", type: "circle", source: "outline", filter: ["all", ["!=", ["geometry-type"], "Polygon"], ["!", ["get", "isClosed"]]], paint: { "circle-radius": 3.5, "circle-color": paint } },
        ],
      };
    },
  };
}

/** Where two sides cross, or nothing. */
function crossing([a, b], [c, d]) {
  const [x, y] = [b[0] - a[0], b[1] - a[1]], [u, v] = [d[0] - c[0], d[1] - c[1]], turn = x * v - y * u;
  const along = ((c[0] - a[0]) * v - (c[1] - a[1]) * u) / turn, other = ((c[0] - a[0]) * y - (c[1] - a[1]) * x) / turn;
  return along > 0 && along < 1 && other > 0 && other < 1 ? { along, at: [a[0] + along * x, a[1] + along * y] } : null;
}

/** An outline as rings that do not cross themselves: a map draws nothing of a bow tie whose halves are as large. */
export function loops(corners) {
  const sides = corners.map((corner, at) => [corner, corners[(at + 1) % corners.length]]), cuts = sides.map(() => []);
  for (let i = 0; i < sides.length; i += 1) {
    for (let j = i + 1; j < sides.length; j += 1) {
      const cut = crossing(sides[i], sides[j]);
      if (cut) { cuts[i].push(cut); cuts[j].push({ at: cut.at, along: crossing(sides[j], sides[i]).along }); }
    }
  }
  const found = [], way = [];
  for (const corner of sides.flatMap(([from], at) => [from, ...cuts[at].sort((a, b) => a.along - b.along).map((cut) => cut.at)])) {
    const met = way.indexOf(corner);
    if (met >= 0) found.push(way.splice(met));
    way.push(corner);
  }
  return [...found, way].filter((ring) => ring.length > 2).map((ring) => [...ring, ring[0]]);
}

function drawn({ corners, isClosed }) {
  const feature = (type, coordinates) => ({ type: "Feature", properties: { isClosed }, geometry: { type, coordinates } });
  const ground = isClosed && corners ? [feature("MultiPolygon", loops(corners).map((ring) => [ring])), feature("LineString", [...corners, corners[0]])] : null;
  return { type: "FeatureCollection", features: ground ?? (corners?.length ? [feature(corners.length > 1 ? "LineString" : "Point", corners.length > 1 ? corners : corners[0])] : []) };
}

/** The control in an element. `chosen.filter` is read and written, `changed()` is told; `known` is the map. */
export function lassoControl(element, known, chosen, changed) {
  const button = element.querySelector("button"), hint = element.querySelector("[data-hint]"), done = element.querySelector("[data-done]"), { map } = known;
  const canvas = map.getCanvasContainer();
  let corners = null, stroke = null;

  const screen = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  const ground = (points) => points.map((point) => map.unproject(point).toArray());
  const show = () => { known.data("outline", drawn(state())); element.dataset.corners = corners?.length ?? 0; done.hidden = !(corners?.length > 2); };
  const tool = aim(map, hint, {
    take: (at) => { const { x, y } = map.project(at); corner([x, y]); },
    back() { corners.pop(); show(); },
    cancel: () => choosing(false),
  });
  function state() {
    if (stroke) return { corners: ground(stroke), isClosed: false };
    return corners ? { corners, isClosed: false } : { corners: outlineOf(chosen.filter), isClosed: true };
  }
  function choosing(yes) {
    corners = yes ? [] : null;
    stroke = null;
    if (yes) tool.start(); else tool.stop();
    canvas.style.touchAction = yes ? "none" : "";
    for (const way of [map.dragPan, map.doubleClickZoom]) way[yes ? "disable" : "enable"]();
    button.setAttribute("aria-pressed", String(yes || Boolean(outlineOf(chosen.filter))));
    show();
  }
  function set(found) {
    chosen.filter = withOutline(chosen.filter, found);
    choosing(false);
    changed();
  }
  function close() {
    if (!(corners?.length > 2)) return;
    const isHere = done.matches(":focus"); // and gone when the outline is closed
    set(corners);
    if (isHere) button.focus({ preventScroll: true });
  }
  button.addEventListener("click", () => {
    if (corners) choosing(false);
    else if (outlineOf(chosen.filter)) set(null);
    else choosing(true);
  });
  canvas.addEventListener("pointerdown", (event) => {
    if (!corners || event.button) return;
    event.preventDefault();
    stroke = [screen(event)];
    canvas.setPointerCapture?.(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!stroke) return;
    stroke.push(screen(event));
    show();
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!stroke) return;
    const points = [...stroke, screen(event)], first = points[0];
    stroke = null;
    if (points.every(([x, y]) => Math.hypot(x - first[0], y - first[1]) < CLOSE_PX)) return corner(first);
    let away = 2, few = simplified(points, away);
    while (few.length > MOST) few = simplified(points, away *= 1.5);
    if (few.length > 2) set(ground(few)); else show();
  });
  canvas.addEventListener("pointercancel", () => { stroke = null; show(); });
  function corner(point) {
    const near = (one) => { const { x, y } = map.project(one); return Math.hypot(x - point[0], y - point[1]) < CLOSE_PX; };
    if (corners.length > 2 && (near(corners[0]) || near(corners.at(-1)))) close();
    else if (corners.length < MOST && !corners.some(near)) { corners.push(map.unproject(point).toArray()); show(); }
  }
  done.addEventListener("click", close);
  document.addEventListener("keydown", (event) => {
    if (!corners || event.key !== "Enter" || tool.isByKeys()) return; // with keys it sets the next corner
    event.preventDefault();
    close();
  });
  return {
    state,
    /** Whether the map is drawn on, so that a click is none for what lies there. */
    isDrawing: () => Boolean(corners),
    /** Shows what the filter asks for. */
    read() { if (!corners) choosing(false); },
  };
}
