// Two accounts that may be the same: both pins with the distance between them, and one key for each decision.

import { boxOf, circle, createMap, css } from "./map.js";

const element = document.querySelector("#duel-map");
if (element) {
  const pins = JSON.parse(document.querySelector("#duel-pins").textContent).map((pin, at) => ({ ...pin, at }));
  const placed = pins.filter((pin) => pin.lon !== null && pin.lon !== undefined);
  if (!placed.length) element.hidden = true;
  else show(placed);
}

async function show(placed) {
  const highest = Math.max(...placed.map((pin) => pin.lat));
  const points = placed.map((pin, order) => ({ type: "Feature", properties: { name: pin.name, at: pin.at, anchor: pin.lat === highest && !(order && placed[0].lat === highest) ? "bottom" : "top" }, geometry: { type: "Point", coordinates: [pin.lon, pin.lat] } }));
  const middle = placed.length === 2 ? [(placed[0].lon + placed[1].lon) / 2, (placed[0].lat + placed[1].lat) / 2] : null;
  const line = middle ? [{ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: placed.map((pin) => [pin.lon, pin.lat]) } },
    { type: "Feature", properties: { distance: element.dataset.distance }, geometry: { type: "Point", coordinates: middle } }] : [];
  const collection = { type: "FeatureCollection", features: [...line, ...points] };
  const layer = {
    name: "pair",
    parts: () => ({
      sources: { pair: { type: "geojson", data: collection } },
      over: [
        { id: "pair-line", type: "line", source: "pair", filter: ["==", ["geometry-type"], "LineString"], paint: { "line-color": css("--ink"), "line-width": 2, "line-dasharray": [2, 1.5] } },
        { id: "pair-distance", type: "symbol", source: "pair", filter: ["has", "distance"],
          layout: { "text-field": ["get", "distance"], "text-size": 13, "text-font": ["Inter Variable"], "text-anchor": "left", "text-offset": [1.2, 0], "text-allow-overlap": true, "text-ignore-placement": true },
          paint: { "text-color": css("--ink"), "text-halo-color": css("--map-halo"), "text-halo-width": 2 } },
        { id: "pair-pins", type: "circle", source: "pair", filter: ["has", "name"],
          paint: { "circle-radius": 8, "circle-color": ["match", ["get", "at"], 0, css("--brand"), css("--blaze")], "circle-stroke-color": css("--map-halo"), "circle-stroke-width": 2 } },
        { id: "pair-names", type: "symbol", source: "pair", filter: ["has", "name"],
          layout: { "text-field": ["get", "name"], "text-size": 12, "text-font": ["Inter Variable"], "text-anchor": ["get", "anchor"], "text-offset": ["match", ["get", "anchor"], "top", ["literal", [0, 0.9]], ["literal", [0, -0.9]]], "text-allow-overlap": true, "text-max-width": 18 },
          paint: { "text-color": css("--ink"), "text-halo-color": css("--map-halo"), "text-halo-width": 1.6 } },
      ],
    }),
  };
  const box = boxOf({ features: placed.map((pin) => circle([pin.lon, pin.lat], 60)) });
  const made = await createMap(element, { box, layers: [layer], padding: 48 });
  made.fit(box, { padding: 40, maxZoom: 18 });
}

document.addEventListener("keydown", (event) => {
  if (event.target.closest?.("input:not([type=radio]), textarea, select, dialog[open]") || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const button = document.querySelector(`[data-shortcut="${CSS.escape(event.key.toLowerCase())}"]`);
  if (button && !button.disabled) { event.preventDefault(); button.click(); }
});
