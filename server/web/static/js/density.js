// The white-space page: hexagons, prospects, and what a hexagon holds.

import { accounts, density, prospects, territories } from "./layers.js";
import { densityLegend } from "./legend.js";
import { createMap } from "./map.js";

const market = await fetch("/api/v1/density").then((answer) => answer.json());
const known = await createMap(document.querySelector("#density-map"), { layers: [density(() => market), territories({ tint: 0 }), prospects({ counts: false }), accounts(() => ({}))], hidden: ["accounts"] });
const { map } = known;
const part = document.querySelector('[data-legend="density"]');
document.querySelector('[data-legend="accounts"]').hidden = true;
part.hidden = false;
const legend = () => densityLegend(part, market, map.getZoom());
map.on("zoomend", legend);
document.addEventListener("themechange", legend);
legend();

for (const cell of document.querySelectorAll(".cells [data-lon]")) {
  cell.addEventListener("click", () => map.easeTo({ center: [Number(cell.dataset.lon), Number(cell.dataset.lat)], zoom: 13.5, duration: 300 }));
}
map.on("click", "density-cells", ({ lngLat, features: [cell] }) => {
  const de = document.documentElement.lang === "de";
  const { prospects: open, customers, penetration, low, high } = cell.properties;
  const percent = (share) => `${Math.round(100 * share)} %`;
  const text = document.createElement("div");
  const title = document.createElement("strong");
  const own = customers.toLocaleString(de ? "de" : "en", { maximumFractionDigits: customers < 10 ? 1 : 0 });
  title.textContent = de ? `${open} Interessenten, ${own} Kunden` : `${open} prospects, ${own} customers`;
  text.append(title, document.createElement("br"), `${de ? "Durchdringung" : "Penetration"} ${percent(penetration)} (${percent(low)}–${percent(high)})`);
  new maplibregl.Popup({ maxWidth: "260px" }).setLngLat(lngLat).setDOMContent(text).addTo(map);
});
