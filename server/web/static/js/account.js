// One account: its sites on a map, pins placed by hand, and the visit form that knows which visit it is about.

import { api, said, toast } from "./app.js";
import { boxOf, circle, createMap } from "./map.js";
import { place, proposals, proposed, territories } from "./layers.js";

const element = document.querySelector("#site-map");
const sites = JSON.parse(document.querySelector("#site-data").textContent);
const placed = () => sites.filter((site) => site.lon !== null);
const point = (site) => ({ type: "Feature", properties: { image: element.dataset.image }, geometry: { type: "Point", coordinates: [site.lon, site.lat] } });

function features() {
  return { type: "FeatureCollection", features: placed().flatMap((site) =>
    [...(site.uncertainty_m > 0 ? [circle([site.lon, site.lat], site.uncertainty_m)] : []), point(site)]) };
}

const waiting = JSON.parse(document.querySelector("#waiting-data").textContent);
const around = proposed(waiting).features;
const box = boxOf({ features: [...around, ...placed().flatMap((site) => [circle([site.lon, site.lat], Math.max(120, site.uncertainty_m ?? 0))])] });
const map = await createMap(element, { box, layers: [territories({ tint: .06 }), place(features), proposals(() => proposed(waiting, { pins: false }))], padding: 24 });

const mayPlace = element.dataset.mayPlace === "true";

/** Those who may not place pins say how one finds the door, and propose. */
function propose(site, lon, lat) {
  const dialog = document.querySelector("#propose");
  dialog.showModal();
  dialog.onclose = stopPlacing;
  dialog.querySelector("[data-send]").onclick = async () => {
    const note = dialog.querySelector("[name=note]").value.trim() || null;
    const answer = await api("POST", `/api/v1/sites/${site.id}/pin-proposals`, { lon, lat, note });
    if (!answer.ok) { toast(said(answer)); return; }
    location.reload();
  };
}

async function save(site, lon, lat) {
  const answer = await api("PUT", `/api/v1/sites/${site.id}/pin`, { lon, lat }, { "If-Match": `"${site.rev}"` });
  if (!answer.ok) { toast(said(answer, "The pin could not be saved.")); return; }
  const before = { ...site };
  Object.assign(site, answer.body);
  map.data("place", features());
  refreshFacts();
  toast(element.dataset.moved, { label: element.dataset.undo, run: async () => {
    await api("POST", `/api/v1/sites/${site.id}/pin/undo`, { rev: before.rev });
    location.reload();
  } });
}

// The grade of the pin and the timeline tell of the change; the map keeps its place.
async function refreshFacts() {
  const page = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!page.ok) return;
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  for (const part of document.querySelectorAll("#timeline, .site[id]")) {
    const twin = fresh.getElementById(part.id);
    if (!twin) continue;
    const shown = document.importNode(twin, true);
    part.replaceWith(shown);
    htmx.process(shown);
  }
}

let marker, placing = null;
const hint = document.querySelector("#place-hint");

/** Where the handle stands now is where the pin is wished. */
function placedHere() {
  const { lng, lat } = marker.getLngLat(), site = placing;
  if (mayPlace) { stopPlacing(); save(site, lng, lat); } else propose(site, lng, lat);
}

function stopPlacing() {
  marker?.remove();
  marker = placing = null;
  if (hint) hint.hidden = true;
}
map.map.on("click", ({ lngLat }) => { if (placing) { marker.setLngLat(lngLat); placedHere(); } });
document.addEventListener("keydown", ({ key }) => { if (key === "Escape" && placing && !document.querySelector("dialog[open]")) stopPlacing(); });

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-place], [data-stop-placing], [data-locate], [data-close], [data-visit]");
  if (!button) return;
  if (button.dataset.place) {
    const site = sites.find((one) => one.id === button.dataset.place);
    const centre = site.lon === null ? map.map.getCenter() : { lng: site.lon, lat: site.lat };
    stopPlacing();
    placing = site;
    hint.hidden = false;
    const handle = document.createElement("div");
    handle.className = "map-marker";
    marker = new maplibregl.Marker({ element: handle, draggable: true }).setLngLat(centre).addTo(map.map);
    map.map.easeTo({ center: centre, zoom: Math.max(16, map.map.getZoom()), duration: 200 });
    marker.on("dragend", placedHere);
    element.scrollIntoView({ block: "center", behavior: "smooth" });
  } else if ("stopPlacing" in button.dataset) stopPlacing();
  else if (button.dataset.locate) {
    button.setAttribute("aria-busy", "true");
    const answer = await api("POST", `/api/v1/sites/${button.dataset.locate}/locate`);
    if (answer.ok) location.reload(); else toast(said(answer));
  } else if (button.dataset.visit) document.querySelector("#record [name=visit_id]").value = button.dataset.visit;
  else button.closest("dialog")?.close();
});
