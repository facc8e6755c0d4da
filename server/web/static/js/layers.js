// The layers that pages put on their map. Each is {name, parts()}: parts are composed again for every theme.

import { css, isDark } from "./basemap.js";
import { circle } from "./map.js";

const vector = (path, minzoom = 0, maxzoom = 15) => ({ type: "vector", tiles: [`${location.origin}${path}`], minzoom, maxzoom });
const collection = (features = []) => ({ type: "FeatureCollection", features });
const geojson = (data) => ({ type: "geojson", data: data ?? collection() });

/** Bounds in days and colours of how overdue an account is: not yet, then three steps. */
export const OVERDUE = { none: "#7A8A99", steps: [[1, "#E69F00"], [30, "#D55E00"], [90, "#8B1A1A"]] };
const OTHERS = "#7A8A99";
/** Colours of accounts by status, as the legend has them. */
const STATUS = ["customer", "#009E73", "prospect", "#E69F00"];

/** The colour of an account's pin when it does not go by class. */
function tint(by, owners, stages) {
  if (by === "stage") return stages.length ? ["match", ["coalesce", ["get", "stage_id"], ""], ...stages.flatMap((one) => [one.id, css(`--category-${one.category}`)]), OTHERS] : OTHERS;
  if (by === "owner") return owners.length ? ["match", ["coalesce", ["get", "owner_id"], ""], ...owners.flatMap((one) => [one.id, one.colour]), OTHERS] : OTHERS;
  if (by === "status") return ["match", ["coalesce", ["get", "status"], ""], ...STATUS, OTHERS];
  return ["step", ["coalesce", ["get", "overdue_days"], -1], OVERDUE.none, ...OVERDUE.steps.flat()];
}

/** Accounts by class, status and overdue; bubbles below zoom 9. `chosen()` gives {filter, q, selected, by, owners,
 * pipelines, pipeline}: the last is the id of the one whose stages are shown. */
export function accounts(chosen) {
  return {
    name: "accounts",
    parts() {
      const { filter = "", q = "", selected = "", by = "class", owners = [], pipelines = [], pipeline = "" } = chosen();
      const query = new URLSearchParams();
      if (filter) query.set("filter", filter);
      if (q) query.set("q", q);
      const staged = by === "stage" && pipelines.find((one) => one.id === pipeline);
      if (staged) query.set("pipeline", pipeline);
      const text = (name) => ["coalesce", ["get", name], ""];
      const isOverdue = ["case", [">", ["coalesce", ["get", "overdue_days"], -1], 0], "1", "0"];
      const isSelected = ["case", ["==", ["get", "id"], selected], "1", "0"];
      const rank = ["match", ["get", "account_class"], "A", 3, "B", 2, "C", 1, 0];
      return {
        sources: { accounts: vector(`/tiles/${staged ? "opportunities/accounts" : "accounts"}/{z}/{x}/{y}${query.size ? `?${query}` : ""}`) },
        over: [
          { id: "account-uncertainty", type: "circle", source: "accounts", "source-layer": "accounts", minzoom: 12,
            filter: [">", ["coalesce", ["get", "uncertainty_m"], 0], 0],
            paint: { "circle-color": css("--info"), "circle-opacity": ["interpolate", ["linear"], ["get", "uncertainty_m"], 200, .1, 800, 0], "circle-stroke-color": css("--info"), "circle-stroke-opacity": .35, "circle-stroke-width": 1,
              "circle-radius": ["interpolate", ["exponential", 2], ["zoom"], 10, ["/", ["get", "doubt_px"], 16], 20, ["*", ["get", "doubt_px"], 64]] } },
          { id: "account-bubbles", type: "symbol", source: "accounts", "source-layer": "accounts", filter: ["has", "count"],
            layout: { "icon-image": ["concat", "bubble|", ["get", "count"], "|", ["get", "a"], "|", ["get", "b"], "|", ["get", "c"]], "icon-allow-overlap": true } },
          by === "class" ? { id: "account-pins", type: "symbol", source: "accounts", "source-layer": "accounts", filter: ["!", ["has", "count"]],
            layout: { "icon-image": ["concat", "pin|", text("account_class"), "|", text("status"), "|", isOverdue, "|", isSelected],
              "icon-allow-overlap": true, "icon-ignore-placement": true, "symbol-sort-key": ["+", rank, ["case", ["==", ["get", "id"], selected], 10, 0]],
              "icon-size": ["interpolate", ["linear"], ["zoom"], 9, .62, 12, .85, 14, 1] } }
            : { id: "account-pins", type: "circle", source: "accounts", "source-layer": "accounts", filter: ["!", ["has", "count"]], layout: { "circle-sort-key": rank },
              paint: { "circle-color": tint(by, owners, staged?.stages ?? []), "circle-radius": ["interpolate", ["linear"], ["zoom"], 9, ["+", 3, rank], 14, ["+", 5, ["*", 1.5, rank]]],
                "circle-stroke-color": ["case", ["==", ["get", "id"], selected], css("--blaze"), css("--map-halo")], "circle-stroke-width": ["case", ["==", ["get", "id"], selected], 4, 1.5] } },
          { id: "account-names", type: "symbol", source: "accounts", "source-layer": "accounts", minzoom: 14.5, filter: ["!", ["has", "count"]],
            layout: { "text-field": ["get", "name"], "text-size": 11.5, "text-font": ["Inter Variable"], "text-anchor": "top", "text-offset": [0, 1.1], "text-optional": true, "text-max-width": 12 },
            paint: { "text-color": css("--ink"), "text-halo-color": css("--map-halo"), "text-halo-width": 1.6 } },
        ],
      };
    },
  };
}

/** Leads by score: the hotter the larger; counted below zoom 9. `chosen()` gives {filter, selected}. */
export function leads(chosen) {
  return {
    name: "leads",
    parts() {
      const { filter = "", selected = "" } = chosen();
      const query = filter ? `?${new URLSearchParams({ filter })}` : "";
      const score = ["coalesce", ["get", "score"], 0];
      const isSelected = ["==", ["get", "id"], selected];
      const isOpen = ["in", ["get", "state"], ["literal", ["new", "working", "qualified"]]];
      return {
        sources: { leads: vector(`/tiles/leads/{z}/{x}/{y}${query}`) },
        over: [
          { id: "lead-bubbles", type: "circle", source: "leads", "source-layer": "leads", filter: ["has", "count"],
            paint: { "circle-radius": ["interpolate", ["linear"], ["get", "count"], 1, 9, 100, 22], "circle-color": "#E69F00", "circle-opacity": .85, "circle-stroke-color": css("--map-halo"), "circle-stroke-width": 2 } },
          { id: "lead-counts", type: "symbol", source: "leads", "source-layer": "leads", filter: ["has", "count"],
            layout: { "text-field": ["to-string", ["get", "count"]], "text-size": 11, "text-font": ["Inter Variable"], "text-allow-overlap": true }, paint: { "text-color": "#16211C" } },
          { id: "lead-pins", type: "circle", source: "leads", "source-layer": "leads", filter: ["!", ["has", "count"]],
            paint: { "circle-radius": ["interpolate", ["linear"], score, 0, 5, 100, 11], "circle-color": ["case", isOpen, ["interpolate", ["linear"], score, 0, "#F6D48A", 50, "#E69F00", 100, "#D55E00"], css("--quiet")],
              "circle-stroke-color": ["case", isSelected, css("--blaze"), css("--map-halo")], "circle-stroke-width": ["case", isSelected, 4, 2] } },
          { id: "lead-names", type: "symbol", source: "leads", "source-layer": "leads", minzoom: 13, filter: ["!", ["has", "count"]],
            layout: { "text-field": ["get", "name"], "text-size": 11.5, "text-font": ["Inter Variable"], "text-anchor": "top", "text-offset": [0, 1], "text-optional": true, "text-max-width": 12 },
            paint: { "text-color": css("--ink"), "text-halo-color": css("--map-halo"), "text-halo-width": 1.6 } },
        ],
      };
    },
  };
}

/** Tickets by priority, overdue ones with a ring; counted below zoom 9. `chosen()` gives {filter}. */
export function tickets(chosen) {
  return {
    name: "tickets",
    parts() {
      const { filter = "" } = chosen();
      const query = filter ? `?${new URLSearchParams({ filter })}` : "";
      const single = ["!", ["has", "count"]];
      const lift = [11, -11]; // beside the pin of its account, not upon it
      return {
        sources: { tickets: vector(`/tiles/tickets/{z}/{x}/{y}${query}`) },
        over: [
          { id: "ticket-bubbles", type: "circle", source: "tickets", "source-layer": "tickets", filter: ["has", "count"],
            paint: { "circle-radius": ["interpolate", ["linear"], ["get", "count"], 1, 9, 100, 22], "circle-translate": lift, "circle-color": "#0072B2", "circle-opacity": .9, "circle-stroke-color": ["case", [">", ["get", "overdue"], 0], css("--bad"), css("--map-halo")], "circle-stroke-width": 2.5 } },
          { id: "ticket-counts", type: "symbol", source: "tickets", "source-layer": "tickets", filter: ["has", "count"],
            layout: { "text-field": ["to-string", ["get", "count"]], "text-size": 11, "text-font": ["Inter Variable"], "text-allow-overlap": true }, paint: { "text-color": "#FFFFFF", "text-translate": lift } },
          { id: "ticket-late", type: "circle", source: "tickets", "source-layer": "tickets", filter: ["all", single, ["to-boolean", ["get", "is_overdue"]]],
            paint: { "circle-radius": 10.5, "circle-translate": lift, "circle-color": css("--map-halo"), "circle-stroke-color": css("--bad"), "circle-stroke-width": 2.5 } },
          { id: "ticket-pins", type: "symbol", source: "tickets", "source-layer": "tickets", filter: single,
            layout: { "icon-image": ["concat", "ticket|", ["match", ["get", "priority"], "urgent", "#D55E00", "high", "#E69F00", "#0072B2"]], "icon-allow-overlap": true, "icon-ignore-placement": true, "symbol-sort-key": ["get", "rank"] }, paint: { "icon-translate": lift } },
        ],
      };
    },
  };
}

/** Territories as tinted areas with their names. */
export function territories({ tint = .12 } = {}) {
  return {
    name: "territories",
    parts: () => ({
      sources: { territories: vector("/tiles/territories/{z}/{x}/{y}") },
      under: [
        { id: "territory-areas", type: "fill", source: "territories", "source-layer": "territories", paint: { "fill-color": ["get", "colour"], "fill-opacity": isDark() ? tint * 1.5 : tint } },
        { id: "territory-edges", type: "line", source: "territories", "source-layer": "territories", paint: { "line-color": ["get", "colour"], "line-width": 1.6, "line-opacity": .75 } },
      ],
    }),
  };
}

/** Firms nearby that are no customers: single ones from zoom 13, counted below. `kind()` is a kind of firm, or nothing. */
export function prospects({ counts = true, kind = () => "" } = {}) {
  const many = counts ? ["has", "count"] : ["has", "never"], beside = [-10, -10]; // not upon the pins of accounts
  return {
    name: "prospects",
    parts: () => ({
      sources: { prospects: vector(`/tiles/prospects/{z}/{x}/{y}${kind() ? `?${new URLSearchParams({ kind: kind() })}` : ""}`, 6, 16) },
      over: [
        { id: "prospect-bubbles", type: "circle", source: "prospects", "source-layer": "prospects", filter: many, layout: { "circle-sort-key": ["get", "count"] },
          paint: { "circle-radius": ["interpolate", ["linear"], ["get", "count"], 1, 8, 100, 14, 1000, 20], "circle-translate": beside, "circle-color": css("--paper"), "circle-stroke-color": css("--info"), "circle-stroke-width": 2 } },
        { id: "prospect-counts", type: "symbol", source: "prospects", "source-layer": "prospects", filter: many,
          layout: { "text-field": ["number-format", ["get", "count"], { locale: document.documentElement.lang }], "text-size": 11, "text-font": ["Inter Variable"], "text-allow-overlap": true, "text-ignore-placement": true, "symbol-sort-key": ["get", "count"] },
          paint: { "text-color": css("--ink"), "text-translate": beside } },
        { id: "prospect-points", type: "symbol", source: "prospects", "source-layer": "prospects", filter: ["all", ["!", ["has", "count"]], ["!", ["to-boolean", ["get", "is_customer"]]]],
          layout: { "icon-image": "prospect", "icon-allow-overlap": true } },
      ],
    }),
  };
}

/** Routes: one line per leg in the route's colour, dashed where estimated, and numbered stops. `data` is {legs, stops}. */
export function routes(data) {
  return {
    name: "routes",
    parts() {
      const { legs, stops } = data();
      const line = (id, filter, paint) => ({ id, type: "line", source: "route-legs", filter, layout: { "line-cap": "round", "line-join": "round" }, paint });
      return {
        sources: { "route-legs": geojson(legs), "route-stops": geojson(stops) },
        over: [
          line("route-casing", true, { "line-color": css("--map-halo"), "line-width": 6, "line-opacity": .8 }),
          line("route-driven", ["!", ["get", "estimated"]], { "line-color": ["get", "colour"], "line-width": 3.4 }),
          line("route-estimated", ["get", "estimated"], { "line-color": ["get", "colour"], "line-width": 3, "line-dasharray": [1.5, 1.8] }),
          { id: "route-arrows", type: "symbol", source: "route-legs", minzoom: 13, layout: { "symbol-placement": "line", "symbol-spacing": 90, "icon-image": ["concat", "arrow|", ["get", "colour"]], "icon-rotation-alignment": "map" } },
          { id: "route-stops", type: "symbol", source: "route-stops", minzoom: 8.5,
            layout: { "icon-image": ["concat", "stop|", ["get", "label"], "|", ["get", "colour"], "|", ["get", "look"]], "icon-allow-overlap": true, "symbol-sort-key": ["get", "order"] } },
        ],
      };
    },
  };
}

/** Reports that came in today. `data` is a feature collection with `state` and `visit`. */
export function incoming(data) {
  return {
    name: "incoming",
    parts: () => ({
      sources: { incoming: geojson(data()) },
      over: [{ id: "incoming-reports", type: "symbol", source: "incoming", minzoom: 8.5, layout: { "icon-image": ["concat", "report|", ["get", "state"]], "icon-allow-overlap": true, "icon-offset": [9, -11] } }],
    }),
  };
}

/** How far one drives within some minutes. `data` is {areas, centre}: GeoJSON of the roads, and a point or nothing. */
export function reached(data) {
  return {
    name: "reached",
    parts() {
      const { areas, centre } = data();
      return {
        sources: { reached: geojson(areas), "reached-from": geojson(collection(centre ? [{ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: centre } }] : [])) },
        under: [{ id: "reached-area", type: "fill", source: "reached", paint: { "fill-color": css("--brand"), "fill-opacity": isDark() ? .22 : .13 } }],
        over: [
          { id: "reached-edge", type: "line", source: "reached", filter: ["!", ["get", "estimated"]], paint: { "line-color": css("--brand"), "line-width": 2 } },
          { id: "reached-guess", type: "line", source: "reached", filter: ["get", "estimated"], paint: { "line-color": css("--brand"), "line-width": 2, "line-dasharray": [1.5, 1.8] } },
          { id: "reached-from", type: "circle", source: "reached-from", paint: { "circle-radius": 7, "circle-color": css("--blaze"), "circle-stroke-color": css("--map-halo"), "circle-stroke-width": 3 } },
        ],
      };
    },
  };
}

/** Visits that differ between two plans. */
export function differences(data) {
  const colour = ["match", ["get", "kind"], "moved", "#E69F00", "only_first", "#B03226", "#009E73"];
  return {
    name: "differences",
    parts() {
      return {
        sources: { differences: geojson(data()) },
        over: [{ id: "differences", type: "circle", source: "differences", paint: { "circle-radius": 6, "circle-color": colour, "circle-stroke-color": css("--map-halo"), "circle-stroke-width": 2 } }],
      };
    },
  };
}

/** The one place that is looked at. */
export function spot(data) {
  return {
    name: "spot",
    parts() {
      return {
        sources: { spot: geojson(data()) },
        over: [{ id: "spot", type: "circle", source: "spot", paint: { "circle-radius": 16, "circle-color": css("--blaze"), "circle-opacity": .22, "circle-stroke-color": css("--blaze"), "circle-stroke-width": 3 } }],
      };
    },
  };
}

/** One pin with its circle of uncertainty. `data` is a feature collection: polygons and points. */
export function place(data) {
  return {
    name: "place",
    parts: () => ({
      sources: { place: geojson(data()) },
      over: [
        { id: "place-circle", type: "fill", source: "place", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": css("--info"), "fill-opacity": .14 } },
        { id: "place-edge", type: "line", source: "place", filter: ["==", ["geometry-type"], "Polygon"], paint: { "line-color": css("--info"), "line-opacity": .5 } },
        { id: "place-others", type: "symbol", source: "place", filter: ["==", ["geometry-type"], "Point"], layout: { "icon-image": ["get", "image"], "icon-allow-overlap": true } },
      ],
    }),
  };
}

/** Proposals as GeoJSON. Each is {to, from, uncertainty_m, doubt_m}; `from` may be null. Without `pins` the page draws the old ones. */
export function proposed(rows, { pins = true } = {}) {
  const feature = (kind, type, coordinates) => ({ type: "Feature", properties: { kind }, geometry: { type, coordinates } });
  return collection(rows.flatMap((row) => [
    ...(pins && row.from && row.doubt_m > 0 ? [{ ...circle(row.from, row.doubt_m), properties: { kind: "doubt" } }] : []),
    ...(row.uncertainty_m > 0 ? [{ ...circle(row.to, row.uncertainty_m), properties: { kind: "sure" } }] : []),
    ...(row.from ? [feature("way", "LineString", [row.from, row.to])] : []),
    ...(pins && row.from ? [feature("from", "Point", row.from)] : []),
    feature("to", "Point", row.to),
  ]));
}

/** Where pins are proposed: the old one grey, the new one in the accent colour, both with their circles. */
export function proposals(data) {
  const kind = (name) => ["==", ["get", "kind"], name];
  return {
    name: "proposals",
    parts: () => ({
      sources: { proposals: geojson(data()) },
      over: [
        { id: "proposal-doubt", type: "fill", source: "proposals", filter: kind("doubt"), paint: { "fill-color": css("--quiet"), "fill-opacity": .12 } },
        { id: "proposal-sure", type: "fill", source: "proposals", filter: kind("sure"), paint: { "fill-color": css("--blaze"), "fill-opacity": .22 } },
        { id: "proposal-way", type: "line", source: "proposals", filter: kind("way"), paint: { "line-color": css("--blaze"), "line-width": 2, "line-dasharray": [1.5, 1.8] } },
        { id: "proposal-from", type: "circle", source: "proposals", filter: kind("from"), paint: { "circle-radius": 5, "circle-color": css("--quiet"), "circle-stroke-color": css("--map-halo"), "circle-stroke-width": 2 } },
        { id: "proposal-to", type: "circle", source: "proposals", filter: kind("to"), paint: { "circle-radius": 7, "circle-color": css("--blaze"), "circle-stroke-color": css("--map-halo"), "circle-stroke-width": 2.5 } },
      ],
    }),
  };
}
