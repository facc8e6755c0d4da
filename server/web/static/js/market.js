// The market on a map: hexagons or areas coloured by one figure, or a smooth surface. `chosen()` gives
// {layer, kind, areas, known, of, bandwidth}; `known` is the answer of /api/v1/density.

import { css, isDark } from "./basemap.js";

const RAMPS = { light: ["#FFFFCC", "#C7E9B4", "#7FCDBB", "#41B6C4", "#2C7FB8", "#253494"], dark: ["#440154", "#414487", "#2A788E", "#22A884", "#7AD151", "#FDE725"] };
const APART = { light: ["#5E3C99", "#B2ABD2", "#EDEDED", "#FDB863", "#E66101"], dark: ["#8E6BD0", "#5E4B8B", "#39423D", "#A86A1E", "#F08A24"] };
const CHANCE = [-3, -1.645, 1.645, 3];

export const ramp = () => RAMPS[isDark() ? "dark" : "light"];
export const apart = () => APART[isDark() ? "dark" : "light"];

/** Quintiles of a figure of areas, each once. */
function quintiles(values, layer) {
  const sorted = values.filter((value) => value > 0).sort((a, b) => a - b);
  const share = (value) => Number(value.toFixed(value >= .1 ? 2 : 3));
  const whole = (value) => { const step = 10 ** Math.max(0, Math.floor(Math.log10(value || 1)) - 1); return Math.ceil(value / step) * step; };
  const round = layer === "penetration" ? share : whole;
  return [...new Set([.2, .4, .6, .8].map((share) => round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0)))].filter(Boolean);
}

/** Bounds and colours of a layer at a zoom: {bounds, colours}. */
export function classes(chosen, zoom) {
  const { layer, known, areas } = chosen;
  if (layer === "surface") return { bounds: known.ladder, colours: ramp() };
  if (layer === "difference") return { bounds: CHANCE, colours: apart() };
  const resolution = known.resolution_by_zoom[Math.max(0, Math.min(22, Math.floor(zoom)))];
  const figures = areas?.features.map((one) => one.properties[layer] ?? 0);
  const most = areas ? Math.max(0, ...figures) : known.layer_most[layer]?.[resolution] ?? 0;
  const bounds = areas ? quintiles(figures, layer).filter((bound) => bound < most) : known.layer_breaks[layer]?.[resolution] ?? [];
  return { bounds, most, colours: ramp().slice(0, bounds.length + 1) };
}

/** Of a kind: nobody knows the penetration there; the server says it of hexagons and areas. */
const UNKNOWN = ["==", ["coalesce", ["get", "not_known"], false], true];

/** Where there is none of what is counted, no class is drawn. */
const NONE = { prospects: ["==", ["get", "prospects"], 0], customers: ["<", ["get", "customers"], .05] };

function fill(chosen, zoom) {
  if (chosen.layer === "surface") return ramp()[0];
  const figure = { penetration: ["get", "penetration"], difference: ["coalesce", ["get", "z"], 0] }[chosen.layer] ?? ["coalesce", ["get", chosen.layer], 0];
  const { bounds, colours } = classes(chosen, zoom);
  const beyond = chosen.layer === "penetration" || chosen.layer === "difference" ? 0 : .0001;
  return bounds.length ? ["step", figure, colours[0], ...bounds.flatMap((bound, at) => [bound + beyond, colours[at + 1]])] : colours[0] ?? ramp()[0];
}

export function market(chosen) {
  return {
    name: "market",
    parts() {
      const now = chosen(), { layer, areas, known, of, bandwidth, kind } = now;
      const query = kind ? `?${new URLSearchParams({ kind })}` : "";
      const cells = { type: "vector", tiles: [`${location.origin}/tiles/density/{z}/{x}/{y}${query}`], minzoom: 4, maxzoom: 14 };
      const source = areas ? { type: "geojson", data: areas } : cells;
      const from = areas ? { source: "market" } : { source: "market", "source-layer": "density" };
      const byZoom = ["step", ["zoom"], fill(now, 0)];
      if (!areas) for (let zoom = 1; zoom <= 16; zoom += 1) byZoom.push(zoom, fill(now, zoom));
      const isSurface = layer === "surface", hatches = layer === "penetration" && Boolean(kind);
      const asked = new URLSearchParams({ of, bandwidth_m: bandwidth, dark: isDark() });
      const picture = { type: "raster", tiles: [`${location.origin}/tiles/density-surface/{z}/{x}/{y}?${asked}`], tileSize: 256, minzoom: 5, maxzoom: 14 };
      return {
        sources: { market: source, ...(isSurface ? { surface: picture } : {}) },
        under: [
          ...(isSurface ? [{ id: "surface", type: "raster", source: "surface", paint: { "raster-fade-duration": 0 } }] : []),
          { id: "market-cells", type: "fill", ...from, paint: { "fill-color": areas ? fill(now, 0) : byZoom, "fill-opacity": isSurface || !known ? 0 : ["case", hatches ? UNKNOWN : NONE[layer] ?? false, 0, .66] } },
          ...(hatches ? [{ id: "market-unknown", type: "fill", ...from, filter: UNKNOWN, paint: { "fill-pattern": "hatch" } }] : []),
          { id: "market-edges", type: "line", ...from, paint: { "line-color": css("--paper"), "line-width": isSurface ? 0 : areas ? 1.4 : .6, "line-opacity": .7 } },
        ],
      };
    },
  };
}

/** Hexagons or points that are chosen or ranked. `data()` is a FeatureCollection with `colour` and `chosen`. */
export function marked(data) {
  return {
    name: "marked",
    parts: () => ({
      sources: { marked: { type: "geojson", data: data() } },
      under: [
        { id: "marked-cells", type: "fill", source: "marked", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": ["get", "colour"], "fill-opacity": .62 } },
        { id: "marked-edges", type: "line", source: "marked", filter: ["==", ["geometry-type"], "Polygon"], paint: { "line-color": ["case", ["get", "chosen"], css("--blaze"), css("--ink")], "line-width": ["case", ["get", "chosen"], 3.5, .8] } },
      ],
      over: [
        { id: "marked-points", type: "circle", source: "marked", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": ["case", ["get", "chosen"], 9, 6.5], "circle-color": ["get", "colour"], "circle-stroke-width": 2.5, "circle-stroke-color": ["case", ["get", "chosen"], css("--blaze"), css("--map-halo")] } },
        { id: "marked-ranks", type: "symbol", source: "marked", filter: ["all", ["==", ["geometry-type"], "Polygon"], ["<=", ["get", "rank"], 20]], layout: { "text-field": ["to-string", ["get", "rank"]], "text-size": 12, "text-font": ["Inter Variable"], "symbol-sort-key": ["get", "rank"] },
          paint: { "text-color": css("--ink"), "text-halo-color": css("--map-halo"), "text-halo-width": 2 } },
      ],
    }),
  };
}
