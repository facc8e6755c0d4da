// Another day than today on the map: its routes as planned, and the check-ins in the order in which they came.

import { css } from "./basemap.js";

const line = (stops) => ({ type: "LineString", coordinates: stops.map((one) => [one.lon, one.lat]) });
const feature = (geometry, properties) => ({ type: "Feature", geometry, properties });
const collection = (features) => ({ type: "FeatureCollection", features });

/** The layer of what really happened. `data` is a list as the server sends it (drawn.py). */
export function tracks(data) {
  return {
    name: "tracks",
    parts() {
      const found = data();
      return {
        sources: {
          "track-ways": { type: "geojson", data: collection(found.filter((one) => one.stops.length > 1).map((one) => feature(line(one.stops), { colour: one.colour }))) },
          "track-stops": { type: "geojson", data: collection(found.flatMap((one) => one.stops.map((stop) => feature({ type: "Point", coordinates: [stop.lon, stop.lat] }, { ...stop, rep: one.name, colour: one.colour })))) },
        },
        over: [
          { id: "track-ways", type: "line", source: "track-ways", layout: { "line-join": "round" }, paint: { "line-color": ["get", "colour"], "line-width": 2, "line-dasharray": [.6, 1.6] } },
          { id: "track-stops", type: "circle", source: "track-stops", paint: { "circle-radius": 5, "circle-color": css("--map-halo"), "circle-stroke-color": ["get", "colour"], "circle-stroke-width": 3 } },
          { id: "track-times", type: "symbol", source: "track-stops", minzoom: 11, layout: { "text-field": ["get", "at"], "text-size": 11, "text-font": ["Inter Variable"], "text-anchor": "left", "text-offset": [.8, 0], "text-optional": true },
            paint: { "text-color": css("--ink"), "text-halo-color": css("--map-halo"), "text-halo-width": 1.6 } },
        ],
      };
    },
  };
}

/** The day of the routes and check-ins; empty is today, whose routes the page asks for by itself. `changed(day, drawn)` is told. */
export function dayControl(input, changed) {
  let asked = 0, wanted = "";
  async function show(day) {
    const turn = (asked += 1);
    wanted = day === input.dataset.today ? "" : day;
    input.value = day || input.dataset.today;
    const answer = await fetch(`/home/day?day=${input.value}`);
    if (answer.ok && turn === asked) changed(wanted, await answer.json());
  }
  input.addEventListener("change", () => show(input.value));
  return {
    show,
    /** Something happened today: ask again, unless another day is wanted. */
    today() { if (!wanted) show(""); },
  };
}
