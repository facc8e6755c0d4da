// Two plans side by side: the second one's lines, and a point for every visit that is not in the same place.

import { routes, differences, spot, territories } from "./layers.js";
import { boxOf, createMap } from "./map.js";
import { features } from "./routes.js";

const drawn = JSON.parse(document.querySelector("#drawn").textContent);
const points = { type: "FeatureCollection", features: drawn.points.map((one) => ({ type: "Feature", properties: one, geometry: { type: "Point", coordinates: [one.lon, one.lat] } })) };
let lit = [];
const made = features(drawn.routes);
const box = boxOf({ features: [...made.legs.features, ...made.stops.features, ...points.features] });
const spots = () => ({ type: "FeatureCollection", features: lit });
const known = await createMap(document.querySelector("#compare-map"), { box, layers: [territories({ tint: .05 }), routes(() => made), differences(() => points), spot(spots)], padding: 50 });
for (const kind of ["mouseover", "focusin"]) document.addEventListener(kind, ({ target }) => {
  const one = target.closest?.(".differs");
  lit = one?.dataset.lon ? [{ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: [Number(one.dataset.lon), Number(one.dataset.lat)] } }] : [];
  known.data("spot", spots());
});
