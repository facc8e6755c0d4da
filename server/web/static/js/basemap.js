// The quiet base map: our own tiles in the theme's paper tones. Labels are drawn with the page's font; no glyph files.

export const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const isDark = () => document.documentElement.dataset.theme === "dark";

const MAJOR = ["motorway", "trunk", "primary", "motorway_link", "trunk_link", "primary_link"];
const MIDDLE = ["secondary", "tertiary", "secondary_link", "tertiary_link"];
const GREEN = ["forest", "wood", "park", "grass", "meadow", "scrub", "garden", "orchard", "vineyard", "cemetery", "pitch",
  "golf_course", "heath", "nature_reserve", "recreation_ground", "village_green", "allotments"];

const kindIn = (kinds) => ["in", ["get", "kind"], ["literal", kinds]];
const MINOR = ["!", ["any", kindIn(MAJOR), kindIn(MIDDLE)]];

function road(id, filter, colour, width) {
  return {
    id, type: "line", source: "basemap", "source-layer": "road", filter,
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": colour, "line-width": ["interpolate", ["exponential", 1.5], ["zoom"], ...width] },
  };
}

function label(id, layer, filter, size, layout = {}, paint = {}) {
  return {
    id, type: "symbol", source: "basemap", "source-layer": layer, filter,
    layout: { "text-field": ["get", "name"], "text-size": size, "text-font": ["Inter Variable"], "text-max-width": 8, ...layout },
    paint: { "text-color": css("--map-label"), "text-halo-color": css("--map-halo"), "text-halo-width": 1.4, ...paint },
  };
}

/** The layers below everything else. */
export function ground() {
  const edge = css("--map-road-edge"), white = css("--map-road");
  const isShape = (type) => ["==", ["geometry-type"], type];
  return [
    { id: "ground", type: "background", paint: { "background-color": css("--map-paper") } },
    { id: "landuse", type: "fill", source: "basemap", "source-layer": "landuse", filter: kindIn(GREEN), paint: { "fill-color": css("--map-green") } },
    { id: "water-area", type: "fill", source: "basemap", "source-layer": "water", filter: isShape("Polygon"), paint: { "fill-color": css("--map-water") } },
    { id: "water-line", type: "line", source: "basemap", "source-layer": "water", filter: isShape("LineString"),
      paint: { "line-color": css("--map-water"), "line-width": ["interpolate", ["linear"], ["zoom"], 8, ["match", ["get", "kind"], "river", 1.5, 0.3], 14, ["match", ["get", "kind"], "river", 5, 1.5]] } },
    { id: "building", type: "fill", source: "basemap", "source-layer": "building", minzoom: 13, paint: { "fill-color": css("--map-building") } },
    road("road-minor-edge", MINOR, edge, [12, .4, 14, 2.6, 18, 14]),
    road("road-middle-edge", kindIn(MIDDLE), edge, [8, .6, 14, 6, 18, 20]),
    road("road-major-edge", kindIn(MAJOR), edge, [6, 1.2, 14, 8, 18, 26]),
    road("road-minor", MINOR, white, [12, .3, 14, 1.8, 18, 12]),
    road("road-middle", kindIn(MIDDLE), white, [9, .5, 14, 4.6, 18, 18]),
    road("road-major", kindIn(MAJOR), css("--map-major"), [6, .8, 14, 6.4, 18, 24]),
    { id: "rail", type: "line", source: "basemap", "source-layer": "rail", minzoom: 10,
      paint: { "line-color": edge, "line-width": 1.2, "line-dasharray": [4, 3] } },
    { id: "boundary", type: "line", source: "basemap", "source-layer": "boundary",
      paint: { "line-color": css("--map-label"), "line-width": .8, "line-opacity": .45, "line-dasharray": [3, 3] } },
  ];
}

/** The names, above the areas and below the pins. */
export function names() {
  const bySize = ["interpolate", ["linear"], ["zoom"], 9, 11, 14, 14];
  return [
    label("label-road", "road", ["all", ["has", "name"], ["any", kindIn(MAJOR), kindIn(MIDDLE), [">=", ["zoom"], 15]]], 11,
      { "symbol-placement": "line", "text-max-angle": 30 }),
    label("label-hamlet", "place", kindIn(["hamlet", "locality", "neighbourhood", "suburb", "quarter", "isolated_dwelling"]), 11),
    label("label-village", "place", ["!", kindIn(["city", "town", "hamlet", "locality", "neighbourhood", "suburb", "quarter", "isolated_dwelling"])], bySize),
    label("label-town", "place", kindIn(["city", "town"]), ["interpolate", ["linear"], ["zoom"], 6, 12, 12, 16], {}, { "text-color": css("--ink") }),
  ];
}

export const source = () => ({ type: "vector", tiles: [`${location.origin}/tiles/basemap/{z}/{x}/{y}`], minzoom: 0, maxzoom: 14 });
