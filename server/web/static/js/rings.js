// Drive-time rings around a place: how far one gets in ten, twenty and thirty minutes. They ask nothing of the list.

import { aim } from "./aim.js";
import { css, isDark } from "./basemap.js";

const MINUTES = [30, 20, 10];
const SHADES = [.1, .12, .16];

/** The layer: `data` is {areas, centre}. */
export function rings(data) {
  return {
    name: "rings",
    parts() {
      const { areas, centre } = data();
      const features = areas?.features ?? [];
      const point = centre ? [{ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: centre } }] : [];
      return {
        sources: { rings: { type: "geojson", data: { type: "FeatureCollection", features } }, "rings-from": { type: "geojson", data: { type: "FeatureCollection", features: point } } },
        under: MINUTES.map((minutes, at) => ({ id: `ring-${minutes}`, type: "fill", source: "rings", filter: ["==", ["round", ["get", "minutes"]], minutes], paint: { "fill-color": "#7A3E9D", "fill-opacity": SHADES[at] * (isDark() ? 1.6 : 1) } })),
        over: [
          { id: "ring-guesses", type: "line", source: "rings", filter: ["get", "estimated"], paint: { "line-color": "#7A3E9D", "line-width": 1.4, "line-dasharray": [3, 2.5] } },
          { id: "ring-edges", type: "line", source: "rings", filter: ["!", ["get", "estimated"]], paint: { "line-color": "#7A3E9D", "line-width": 1.4, "line-opacity": .8 } },
          { id: "ring-names", type: "symbol", source: "rings", layout: { "symbol-placement": "line", "symbol-spacing": 260, "text-field": ["concat", ["case", ["get", "estimated"], "≈ ", ""], ["to-string", ["get", "minutes"]], " min"], "text-size": 11, "text-font": ["Inter Variable"] },
            paint: { "text-color": css("--ink"), "text-halo-color": css("--map-halo"), "text-halo-width": 1.6 } },
          { id: "rings-from", type: "circle", source: "rings-from", paint: { "circle-radius": 6, "circle-color": "#7A3E9D", "circle-stroke-color": css("--map-halo"), "circle-stroke-width": 2.5 } },
        ],
      };
    },
  };
}

/** The checkbox and its hint. `drawn()` tells the page that the map has changed. */
export function ringsControl(box, hint, known, drawn) {
  const state = { areas: null, centre: null };
  let asked = 0, isChoosing = false;

  const tool = aim(known.map, hint, { take, cancel() { choosing(false); box.checked = Boolean(state.centre); } });
  function choosing(yes) {
    isChoosing = yes;
    if (yes) tool.start(); else tool.stop();
  }
  async function around(centre) {
    const turn = (asked += 1);
    state.centre = centre;
    state.areas = null;
    box.checked = Boolean(centre);
    choosing(false);
    known.refresh();
    drawn();
    if (!centre) return;
    const answer = await fetch(`/api/v1/roads/isochrone?point=${centre.join(",")}&minutes=${MINUTES.toReversed().join(",")}`);
    if (!answer.ok || turn !== asked) return;
    state.areas = await answer.json();
    known.refresh();
  }
  box.addEventListener("change", () => { if (box.checked) choosing(true); else around(null); });
  /** Takes a click on the map when a place is being chosen. */
  function take({ lng, lat }) {
    if (!isChoosing) return false;
    around([Number(lng.toFixed(5)), Number(lat.toFixed(5))]);
    return true;
  }
  return { state, around, take };
}
