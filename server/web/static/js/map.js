// One map for every page. A map is the base map and a list of layers (layers.js); it is composed anew for each theme.

import { css, ground, names, source } from "./basemap.js";
import { RATIO, drawingOf } from "./drawings.js";

let regions;
/** The regions in service, asked for once. */
export const knownRegions = () => (regions ??= fetch("/api/v1/regions").then((answer) => (answer.ok ? answer.json() : { items: [] })).then((page) => page.items).catch(() => []));

/** Print on a map what its view owes: asked for a box twice as wide, and again when the view leaves it. */
function credit(map) {
  let asked = null, control = null;
  const tell = async () => {
    const view = map.getBounds();
    if (asked && ["West", "South"].every((side) => view[`get${side}`]() >= asked[side]) && ["East", "North"].every((side) => view[`get${side}`]() <= asked[side])) return;
    const [wide, high] = [view.getEast() - view.getWest(), view.getNorth() - view.getSouth()];
    const most = (value, limit) => Math.max(-limit, Math.min(limit, value));
    const box = asked = { West: most(view.getWest() - wide / 2, 180), South: most(view.getSouth() - high / 2, 90), East: most(view.getEast() + wide / 2, 180), North: most(view.getNorth() + high / 2, 90) };
    const answer = await fetch(`/api/v1/attribution?box=${[box.West, box.South, box.East, box.North].join(",")}`);
    if (!answer.ok || box !== asked) return;
    if (control) map.removeControl(control);
    control = new maplibregl.AttributionControl({ compact: map.getContainer().clientWidth < 640, customAttribution: (await answer.json()).items });
    map.addControl(control, "bottom-right");
  };
  map.on("moveend", tell);
  return tell();
}

const around = (boxes) => [
  Math.min(...boxes.map((b) => b[0])), Math.min(...boxes.map((b) => b[1])),
  Math.max(...boxes.map((b) => b[2])), Math.max(...boxes.map((b) => b[3])),
];

/** A map in an element, with the layers that a page asks for. */
export class WaymarkMap {
  #layers = [];
  #hidden = new Set();

  constructor(map, hidden = []) {
    this.map = map;
    this.#hidden = new Set(hidden);
    map.on("styleimagemissing", ({ id }) => {
      const image = drawingOf(id);
      if (image && !map.hasImage(id)) map.addImage(id, image, { pixelRatio: RATIO });
    });
    document.addEventListener("themechange", () => {
      for (const name of map.listImages()) { const image = drawingOf(name); if (image) map.updateImage(name, image); }
      this.#compose();
    });
  }

  /** Put layers on the map: each has a name and `parts()` with sources, and layers `under` and `over` the names. */
  show(...layers) {
    for (const layer of layers) {
      this.#layers = this.#layers.filter((one) => one.name !== layer.name);
      this.#layers.push(layer);
      layer.onMap?.(this);
    }
    this.#compose();
    return this;
  }

  toggle(name, isVisible) {
    if (isVisible) this.#hidden.delete(name); else this.#hidden.add(name);
    this.#compose();
  }

  /** Whether a layer was not switched off; it may not be there. */
  isAsked(name) { return !this.#hidden.has(name); }

  isShown(name) { return !this.#hidden.has(name) && this.#layers.some((one) => one.name === name); }

  /** The data of a GeoJSON source, changed without composing anew. */
  data(id, collection) { this.map.getSource(id)?.setData(collection); }

  refresh() { this.#compose(); }

  fit(box, options = {}) {
    if (box) this.map.fitBounds([[box[0], box[1]], [box[2], box[3]]], { padding: 60, maxZoom: 15, duration: 0, ...options });
  }

  #compose() {
    const shown = this.#layers.filter((one) => !this.#hidden.has(one.name)).map((one) => one.parts());
    this.map.setStyle({
      version: 8,
      sources: Object.assign({ basemap: source() }, ...shown.map((one) => one.sources)),
      layers: [...ground().slice(0, this.#hidden.has("basemap") ? 1 : undefined), ...shown.flatMap((one) => one.under ?? []), ...(this.#hidden.has("basemap") ? [] : names()), ...shown.flatMap((one) => one.over ?? [])],
    }, { diff: true, validate: false });
  }
}

/** Say on a map that tiles did not come; a click, or the network when it is back, asks for them again. What was refused,
 * as a filter that cannot be read, came: the page says so. */
function watch(map, element) {
  const missing = new Set(), note = document.getElementById("map-failed").content.firstElementChild.cloneNode(true);
  const again = () => { note.remove(); for (const id of missing) if (map.getSource(id)) map.refreshTiles(id); missing.clear(); };
  note.querySelector("button").addEventListener("click", again);
  addEventListener("online", again);
  map.on("error", ({ error, sourceId, tile }) => { if (sourceId && tile && error?.status !== 422) { missing.add(sourceId); element.append(note); } });
}

/** Build a map. `box` is [west, south, east, north]; left out: all regions. `hash` names the part of the address that keeps the place. */
export async function createMap(element, { box = null, layers = [], hidden = [], padding = 40, interactive = true, hash = false } = {}) {
  const known = await knownRegions();
  const boxes = known.map((region) => region.bbox).filter(Boolean);
  const start = box ?? (boxes.length ? around(boxes) : [-10, 36, 30, 60]);
  await document.fonts.load('500 12px "Inter Variable"').catch(() => null);
  element.classList.add("map");
  const map = new maplibregl.Map({
    container: element, style: { version: 8, sources: {}, layers: [] }, interactive, hash, attributionControl: false,
    dragRotate: false, pitchWithRotate: false, fadeDuration: 0, maxZoom: 19,
    bounds: [[start[0], start[1]], [start[2], start[3]]], fitBoundsOptions: { padding, maxZoom: 16 },
    localIdeographFontFamily: '"Inter Variable", system-ui, sans-serif',
    canvasContextAttributes: { preserveDrawingBuffer: false },
  });
  watch(map, element);
  await credit(map).catch(() => null);
  map.addControl(new maplibregl.ScaleControl({ unit: "metric" }), "bottom-left");
  if (interactive) {
    map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
    map.touchZoomRotate.disableRotation();
    map.keyboard.disableRotation();
  }
  if (!known.length) element.dataset.empty = "true";
  const made = new WaymarkMap(map, hidden);
  await new Promise((resolve) => (map.loaded() ? resolve() : map.once("load", resolve)));
  made.show(...layers);
  element.dataset.ready = "true";
  map.once("idle", () => { element.dataset.idle = "true"; });
  return made;
}

/** The box around GeoJSON features, or null. */
export function boxOf(collection) {
  let box = null;
  const take = (coordinates) => {
    if (typeof coordinates[0] === "number") {
      const [x, y] = coordinates;
      box = box ? [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), Math.max(box[3], y)] : [x, y, x, y];
    } else coordinates.forEach(take);
  };
  for (const feature of collection.features ?? []) if (feature.geometry) take(feature.geometry.coordinates);
  return box;
}

/** A circle of some metres around a point, as a polygon. */
export function circle([lon, lat], metres, steps = 64) {
  const north = metres / 111320, east = north / Math.cos((lat * Math.PI) / 180);
  const ring = Array.from({ length: steps + 1 }, (_, i) => {
    const angle = (i / steps) * 2 * Math.PI;
    return [lon + east * Math.cos(angle), lat + north * Math.sin(angle)];
  });
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } };
}

export { css };
