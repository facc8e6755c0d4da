// The deals of the list on the map: colour by stage, size by amount.

import { css } from "./basemap.js";
import { territories } from "./layers.js";
import { createMap } from "./map.js";

const page = document.querySelector("#deal-map");
const stages = JSON.parse(document.querySelector("#stage-data").textContent);
const query = new URLSearchParams(Object.entries({ filter: page.dataset.filter, q: page.dataset.q }).filter(([, value]) => value));
const colourOf = (stage) => css(`--category-${stage.category}`);
const stageColour = () => ["match", ["get", "state"], "won", css("--good"), "lost", css("--quiet"), stages.length ? ["match", ["get", "stage_id"], ...stages.flatMap((one) => [one.id, colourOf(one)]), css("--info")] : css("--info")];

const deals = {
  name: "deals",
  parts() {
    const size = ["sqrt", ["coalesce", ["get", "amount"], 0]];
    const bubble = ["interpolate", ["linear"], ["get", "count"], 1, 9, 200, 26];
    return {
      sources: { deals: { type: "vector", tiles: [`${location.origin}/tiles/opportunities/{z}/{x}/{y}${query.size ? `?${query}` : ""}`], minzoom: 0, maxzoom: 14 } },
      over: [
        { id: "deal-bubbles", type: "circle", source: "deals", "source-layer": "deals", filter: ["has", "count"], paint: { "circle-color": css("--brand"), "circle-radius": bubble, "circle-opacity": .85, "circle-stroke-color": css("--map-halo"), "circle-stroke-width": 2 } },
        { id: "deal-counts", type: "symbol", source: "deals", "source-layer": "deals", filter: ["has", "count"], layout: { "text-field": ["to-string", ["get", "count"]], "text-size": 12, "text-font": ["Inter Variable"], "text-allow-overlap": true }, paint: { "text-color": css("--on-brand") } },
        { id: "deal-rotten", type: "circle", source: "deals", "source-layer": "deals", filter: ["all", ["!", ["has", "count"]], ["to-boolean", ["get", "is_rotten"]]], paint: { "circle-radius": ["interpolate", ["linear"], size, 0, 9, 400, 25], "circle-color": "transparent", "circle-stroke-color": css("--bad"), "circle-stroke-width": 2, "circle-stroke-opacity": .9 } },
        { id: "deal-points", type: "circle", source: "deals", "source-layer": "deals", filter: ["!", ["has", "count"]], layout: { "circle-sort-key": ["-", 0, ["coalesce", ["get", "amount"], 0]] },
          paint: { "circle-radius": ["interpolate", ["linear"], size, 0, 5, 400, 21], "circle-color": stageColour(), "circle-opacity": .88, "circle-stroke-color": css("--map-halo"), "circle-stroke-width": 1.5 } },
      ],
    };
  },
};

function legend() {
  const fixed = { won: css("--good"), lost: css("--quiet") };
  const colours = Object.fromEntries(stages.map((one) => [one.id, fixed[one.state] ?? colourOf(one)]));
  for (const item of document.querySelectorAll("#deal-legend [data-stage]")) item.querySelector(".swatch").style.background = colours[item.dataset.stage];
}
legend();
document.addEventListener("themechange", legend);

const known = await createMap(page, { layers: [territories(), deals] });
const { map } = known;
map.on("click", (event) => {
  const [bubble] = map.queryRenderedFeatures(event.point, { layers: ["deal-bubbles"] });
  if (bubble) { map.easeTo({ center: bubble.geometry.coordinates, zoom: map.getZoom() + 2 }); return; }
  const hits = map.queryRenderedFeatures(event.point, { layers: ["deal-points"] });
  if (!hits.length) return;
  const seen = new Map(hits.map((hit) => [hit.properties.id, hit.properties]));
  const box = document.createElement("div");
  box.className = "stack";
  const title = document.createElement("strong");
  title.textContent = seen.size > 1 ? page.dataset.deals.replace("%", seen.size) : hits[0].properties.account;
  box.append(title);
  for (const deal of [...seen.values()].slice(0, 8)) {
    const link = document.createElement("a");
    link.href = `/pipeline/deals/${deal.id}`;
    link.textContent = deal.name;
    const facts = document.createElement("span");
    facts.className = "quiet small";
    facts.textContent = `${stages.find((one) => one.id === deal.stage_id)?.name ?? deal.stage} · ${Number(deal.amount ?? 0).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 0 })} ${page.dataset.base}`;
    const row = document.createElement("div");
    row.append(link, document.createElement("br"), facts);
    box.append(row);
  }
  new maplibregl.Popup({ maxWidth: "280px" }).setLngLat(event.lngLat).setDOMContent(box).addTo(map);
});
map.on("mousemove", (event) => { map.getCanvas().style.cursor = map.queryRenderedFeatures(event.point, { layers: ["deal-points", "deal-bubbles"] }).length ? "pointer" : ""; });
