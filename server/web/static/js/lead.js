// One lead: where it is, and its pin placed by hand.

import { api, said, toast } from "./app.js";
import { boxOf, circle, createMap } from "./map.js";
import { leads, place, territories } from "./layers.js";

const element = document.querySelector("#lead-map");
const lead = JSON.parse(document.querySelector("#lead-data").textContent);
const known = () => lead.lon !== null;
const features = () => ({ type: "FeatureCollection", features: known() && lead.uncertainty_m > 0 ? [circle([lead.lon, lead.lat], lead.uncertainty_m)] : [] });
const box = known() ? boxOf({ features: [circle([lead.lon, lead.lat], Math.max(400, lead.uncertainty_m ?? 0))] }) : null;
const shown = { filter: "state in (new, working, qualified, converted, disqualified)", selected: lead.id };
const map = await createMap(element, { box, layers: [territories({ tint: .06 }), place(features), leads(() => shown)], padding: 24 });

let marker;
document.querySelector("[data-place]")?.addEventListener("click", () => {
  const at = known() ? [lead.lon, lead.lat] : map.map.getCenter();
  marker?.remove();
  marker = new maplibregl.Marker({ color: "#E4572E", draggable: true }).setLngLat(at).addTo(map.map);
  marker.on("dragend", () => save(marker.getLngLat()));
  map.map.once("click", ({ lngLat }) => { marker.setLngLat(lngLat); save(lngLat); });
});

async function save({ lng, lat }) {
  const answer = await api("PUT", `/api/v1/leads/${lead.id}/pin`, { lon: lng, lat });
  if (!answer.ok) { toast(said(answer)); return; }
  Object.assign(lead, answer.body);
  map.data("place", features());
  toast(element.dataset.moved);
}
