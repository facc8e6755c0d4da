// One map for every page: the base map in the theme's quiet tones, and layers that a page asks for.
// No outside request: tiles, fonts and library are our own; labels are drawn with the page's font.

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const MAJOR = ["motorway", "trunk", "primary", "motorway_link", "trunk_link", "primary_link"];
const MIDDLE = ["secondary", "tertiary", "secondary_link", "tertiary_link"];

function baseLayers() {
  const road = (id, filter, colour, width) => ({
    id, type: "line", source: "basemap", "source-layer": "road", filter,
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": colour, "line-width": ["interpolate", ["exponential", 1.5], ["zoom"], ...width] },
  });
  const kindIn = (kinds) => ["in", ["get", "kind"], ["literal", kinds]];
  const minor = ["!", ["any", kindIn(MAJOR), kindIn(MIDDLE)]];
  const label = (id, layer, filter, size, extra = {}, paint = {}) => ({
    id, type: "symbol", source: "basemap", "source-layer": layer, filter,
    layout: { "text-field": ["get", "name"], "text-size": size, "text-font": ["Inter"], "text-max-width": 8, ...extra },
    paint: { "text-color": css("--map-label"), "text-halo-color": css("--map-halo"), "text-halo-width": 1.4, ...paint },
  });
  return [
    { id: "ground", type: "background", paint: { "background-color": css("--map-paper") } },
    { id: "landuse", type: "fill", source: "basemap", "source-layer": "landuse",
      filter: ["in", ["get", "kind"], ["literal", ["forest", "wood", "park", "grass", "meadow", "scrub", "garden", "orchard", "vineyard", "cemetery", "pitch", "golf_course", "heath", "nature_reserve"]]],
      paint: { "fill-color": css("--map-green") } },
    { id: "water-area", type: "fill", source: "basemap", "source-layer": "water", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": css("--map-water") } },
    { id: "water-line", type: "line", source: "basemap", "source-layer": "water", filter: ["==", ["geometry-type"], "LineString"],
      paint: { "line-color": css("--map-water"), "line-width": ["interpolate", ["linear"], ["zoom"], 8, 1, 14, 3] } },
    { id: "building", type: "fill", source: "basemap", "source-layer": "building", minzoom: 13, paint: { "fill-color": css("--map-building") } },
    road("road-minor-edge", minor, css("--map-road-edge"), [11, .6, 14, 3, 18, 14]),
    road("road-middle-edge", kindIn(MIDDLE), css("--map-road-edge"), [8, 1, 14, 6, 18, 20]),
    road("road-major-edge", kindIn(MAJOR), css("--map-road-edge"), [6, 1.6, 14, 8, 18, 26]),
    road("road-minor", minor, css("--map-road"), [12, .3, 14, 2, 18, 12]),
    road("road-middle", kindIn(MIDDLE), css("--map-road"), [9, .5, 14, 4.6, 18, 18]),
    road("road-major", kindIn(MAJOR), css("--map-major"), [6, .8, 14, 6.4, 18, 24]),
    { id: "rail", type: "line", source: "basemap", "source-layer": "rail", minzoom: 10,
      paint: { "line-color": css("--map-road-edge"), "line-width": 1.2, "line-dasharray": [4, 3] } },
    { id: "boundary", type: "line", source: "basemap", "source-layer": "boundary",
      paint: { "line-color": css("--map-label"), "line-width": .8, "line-opacity": .5, "line-dasharray": [3, 3] } },
    label("label-road", "road", ["all", ["has", "name"], [">=", ["zoom"], 14]], 11, { "symbol-placement": "line" }),
    label("label-place-small", "place", ["!", kindIn(["city", "town"])], ["interpolate", ["linear"], ["zoom"], 9, 11, 14, 14]),
    label("label-place", "place", kindIn(["city", "town"]), ["interpolate", ["linear"], ["zoom"], 6, 12, 12, 17], {}, { "text-color": css("--ink") }),
  ];
}

function style() {
  const origin = location.origin;
  return {
    version: 8,
    sources: { basemap: { type: "vector", tiles: [`${origin}/tiles/basemap/{z}/{x}/{y}`], minzoom: 0, maxzoom: 14 } },
    layers: baseLayers(),
  };
}

let regions;
const knownRegions = () => (regions ??= fetch("/api/v1/regions").then((answer) => (answer.ok ? answer.json() : { items: [] })));

/** Build a map in an element. `box` is [west, south, east, north]; left out: all regions. */
export async function createMap(element, { box = null, interactive = true, padding = 40 } = {}) {
  const known = (await knownRegions()).items;
  const boxes = known.map((region) => region.bbox).filter(Boolean);
  const start = box ?? (boxes.length
    ? [Math.min(...boxes.map((b) => b[0])), Math.min(...boxes.map((b) => b[1])), Math.max(...boxes.map((b) => b[2])), Math.max(...boxes.map((b) => b[3]))]
    : [-10, 36, 30, 60]);
  const map = new maplibregl.Map({
    container: element, style: style(), interactive, attributionControl: false, dragRotate: false, fadeDuration: 0,
    bounds: [[start[0], start[1]], [start[2], start[3]]], fitBoundsOptions: { padding, maxZoom: 16 },
    localIdeographFontFamily: '"Inter Variable", system-ui, sans-serif',
  });
  const credits = [...new Set(known.flatMap((region) => region.attribution))];
  map.addControl(new maplibregl.AttributionControl({ compact: false, customAttribution: credits }), "bottom-right");
  map.addControl(new maplibregl.ScaleControl({ unit: "metric" }), "bottom-left");
  if (interactive) {
    map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
    map.touchZoomRotate.disableRotation();
  }
  await new Promise((resolve) => map.once("load", resolve));
  return map;
}

export { css };
