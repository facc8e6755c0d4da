// The board's map: the routes of one day, and the stop that is looked at.

import { routes, spot, territories } from "./layers.js";
import { boxOf, createMap } from "./map.js";
import { features } from "./routes.js";

/** `state()` gives {day, rep, routes, colours}; `onStop(key, isChosen)` is told what is pointed at. */
export async function boardMap(element, plan, state, onStop) {
  const lines = new Map();
  let lit = null;
  const drawn = () => {
    const { day, rep, routes: all, colours } = state();
    return [...all.values()].filter((route) => route.rep_day.endsWith(day) && (!rep || route.rep_day.startsWith(rep))).map((route) => ({
      colour: colours[route.rep_day.split("/")[0]],
      legs: (lines.get(day)?.get(route.rep_day) ?? []).filter((leg) => leg.polyline6).map((leg) => ({ polyline: leg.polyline6, estimated: leg.is_estimated })),
      homes: [route.home],
      stops: route.stops.filter((s) => s.lon !== null).map((s, i) => ({ id: s.key, label: String(i + 1), name: s.name, lon: s.lon, lat: s.lat, state: s.visit_state ?? "planned" })),
    }));
  };
  const shown = () => features(drawn());
  const spots = () => ({ type: "FeatureCollection", features: lit ? [{ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: lit } }] : [] });
  const box = () => { const { legs, stops } = shown(); return boxOf({ features: [...legs.features, ...stops.features] }); };
  await fetchLines(state().day);
  const made = await createMap(element, { box: box(), layers: [territories({ tint: .05 }), routes(shown), spot(spots)], padding: 36 });

  async function fetchLines(day) {
    if (!day || lines.has(day)) return;
    const answer = await fetch(`/api/v1/plans/${plan}/board/lines?day=${day}`);
    if (answer.ok) lines.set(day, new Map((await answer.json()).items.map((one) => [one.rep_day, one.lines])));
  }
  function paint() {
    const { legs, stops } = shown();
    made.data("route-legs", legs);
    made.data("route-stops", stops);
  }
  made.map.on("mousemove", "route-stops", ({ features: [stop] }) => { made.map.getCanvas().style.cursor = "pointer"; onStop(stop.properties.id, false); });
  made.map.on("mouseleave", "route-stops", () => { made.map.getCanvas().style.cursor = ""; onStop(null, false); });
  made.map.on("click", "route-stops", ({ features: [stop] }) => onStop(stop.properties.id, true));
  return {
    /** Draw anew; `fit` moves the map to the routes. */
    async draw({ fit = false, forget = [] } = {}) {
      for (const day of forget) lines.delete(day);
      await fetchLines(state().day);
      paint();
      if (fit) made.fit(box(), { padding: 36, duration: 250 });
    },
    light(point) {
      lit = point;
      made.data("spot", spots());
      if (point && !made.map.getBounds().contains(point)) made.map.easeTo({ center: point, duration: 250 });
    },
  };
}
