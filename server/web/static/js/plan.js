// The plan page: one day at a time on map and timetable; a rep's name shows that route alone.

import { routes, territories } from "./layers.js";
import { boxOf, createMap } from "./map.js";
import { features } from "./routes.js";

const drawn = JSON.parse(document.querySelector("#drawn").textContent);
let day = document.querySelector("[data-day][aria-pressed=true]")?.dataset.day ?? drawn[0]?.day;
let rep = null;
const shown = () => features(drawn.filter((route) => route.day === day && (!rep || route.rep === rep)));
const boxNow = () => { const { legs, stops } = shown(); return boxOf({ features: [...legs.features, ...stops.features] }); };
const known = await createMap(document.querySelector("#plan-map"), { box: boxNow(), layers: [territories({ tint: .05 }), routes(shown)], padding: 50 });
const { map } = known;

function draw() {
  const { legs, stops } = shown();
  known.data("route-legs", legs);
  known.data("route-stops", stops);
  known.fit(boxNow(), { padding: 50, duration: 250 });
  for (const one of document.querySelectorAll(".route")) one.classList.toggle("faded", rep !== null && one.dataset.rep !== rep);
}

let popup;
function say(text, at) {
  popup?.remove();
  popup = new maplibregl.Popup({ offset: 12, focusAfterOpen: false }).setLngLat(at).setText(text).addTo(map);
}

document.querySelector("#plan").addEventListener("click", (event) => {
  const button = event.target.closest("[data-day], [data-show-rep], [data-stop]");
  if (!button) return;
  if (button.dataset.day) {
    day = button.dataset.day;
    for (const one of document.querySelectorAll("[data-day]")) one.setAttribute("aria-pressed", String(one === button));
    for (const panel of document.querySelectorAll("[data-day-panel]")) panel.hidden = panel.dataset.dayPanel !== day;
    draw();
  } else if (button.dataset.showRep) {
    rep = rep === button.dataset.showRep ? null : button.dataset.showRep;
    draw();
  } else if (button.dataset.lon && !event.ctrlKey && !event.metaKey && event.target.tagName !== "A") event.preventDefault();
});
map.on("click", "route-stops", ({ features: [stop] }) => say(stop.properties.name, stop.geometry.coordinates));
document.addEventListener("mouseover", (event) => {
  const stop = event.target.closest?.("[data-stop][data-lon]");
  if (stop?.dataset.lon) say(stop.textContent, [Number(stop.dataset.lon), Number(stop.dataset.lat)]);
});
