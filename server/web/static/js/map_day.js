// A day on the map: its routes as planned, and how it was driven: as phones recorded it, else check-ins in their order.

import { css } from "./basemap.js";
import { unrolled } from "./routes.js";

const line = (stops) => ({ type: "LineString", coordinates: unrolled(stops.map((one) => [one.lon, one.lat])) });
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
          "track-recorded": { type: "geojson", data: collection(found.filter((one) => one.lines.length).map((one) => feature({ type: "MultiLineString", coordinates: one.lines.map(unrolled) }, { colour: one.colour }))) },
          "track-ways": { type: "geojson", data: collection(found.filter((one) => !one.lines.length && one.stops.length > 1).map((one) => feature(line(one.stops), { colour: one.colour }))) },
          "track-stops": { type: "geojson", data: collection(found.flatMap((one) => one.stops.map((stop) => feature({ type: "Point", coordinates: [stop.lon, stop.lat] }, { ...stop, rep: one.name, colour: one.colour })))) },
        },
        over: [
          { id: "track-recorded", type: "line", source: "track-recorded", layout: { "line-join": "round", "line-cap": "round" }, paint: { "line-color": ["get", "colour"], "line-width": 8, "line-opacity": .4 } },
          { id: "track-ways", type: "line", source: "track-ways", layout: { "line-join": "round" }, paint: { "line-color": ["get", "colour"], "line-width": 2, "line-dasharray": [.6, 1.6] } },
          { id: "track-stops", type: "circle", source: "track-stops", paint: { "circle-radius": 5, "circle-color": css("--map-halo"), "circle-stroke-color": ["get", "colour"], "circle-stroke-width": 3 } },
          { id: "track-times", type: "symbol", source: "track-stops", minzoom: 11, layout: { "text-field": ["get", "at"], "text-size": 11, "text-font": ["Inter Variable"], "text-anchor": "left", "text-offset": [.8, 0], "text-optional": true },
            paint: { "text-color": css("--ink"), "text-halo-color": css("--map-halo"), "text-halo-width": 1.6 } },
        ],
      };
    },
  };
}

/** The day that the map shows. `changed({day, routes, tracks})` is told; for today, which the page asks for itself, `day` is empty. Returns {show(day), turned(today)}. */
export function dayControl(input, changed) {
  let asked = 0;
  async function show(day) {
    const turn = (asked += 1);
    input.value = day || input.dataset.today;
    if (input.value === input.dataset.today) { changed({ day: "" }); return; }
    const answer = await fetch(`/home/day?day=${input.value}`);
    if (answer.ok && turn === asked) changed({ ...await answer.json(), day: input.value });
  }
  input.addEventListener("change", () => show(input.value));
  return {
    show,
    /** Today is another day by now; who looks at today goes along. */
    turned(today) {
      if (today === input.dataset.today) return;
      const day = input.value === input.dataset.today ? "" : input.value;
      input.dataset.today = today;
      show(day);
    },
  };
}
