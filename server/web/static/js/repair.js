// A bulk repair's preview: the rows of this page on a map, from where to where, and which of them are chosen.

import { api, said, toast } from "./app.js";
import { boxOf, createMap, css } from "./map.js";

const page = document.querySelector("#repair");
const element = document.querySelector("#repair-map");

function features(points) {
  const at = (coordinates, when) => ({ type: "Feature", properties: { when }, geometry: { type: "Point", coordinates } });
  return { type: "FeatureCollection", features: points.flatMap(({ before, after }) => [
    ...(before && after ? [{ type: "Feature", properties: { when: "way" }, geometry: { type: "LineString", coordinates: [before, after] } }] : []),
    ...(before ? [at(before, "before")] : []), ...(after ? [at(after, "after")] : []),
  ]) };
}

if (element) {
  const shown = features(JSON.parse(document.querySelector("#repair-points").textContent));
  const layer = {
    name: "repair",
    parts: () => ({
      sources: { repair: { type: "geojson", data: shown } },
      over: [
        { id: "repair-ways", type: "line", source: "repair", filter: ["==", ["get", "when"], "way"], paint: { "line-color": css("--quiet"), "line-width": 1.2, "line-dasharray": [2, 2] } },
        { id: "repair-points", type: "circle", source: "repair", filter: ["!=", ["get", "when"], "way"],
          paint: { "circle-radius": 5, "circle-color": ["match", ["get", "when"], "before", "#B03226", "#0F6B4F"], "circle-stroke-color": "#fff", "circle-stroke-width": 1.5 } },
      ],
    }),
  };
  const made = await createMap(element, { layers: [layer] });
  made.fit(boxOf(shown), { padding: 40 });
}

page?.addEventListener("change", async (event) => {
  const box = event.target;
  if (box.type !== "checkbox") return;
  const isAll = box.id === "all-rows";
  const answer = await api("PATCH", `/api/v1/repairs/${page.dataset.run}/rows`, { site_ids: isAll ? null : [box.value], is_chosen: box.checked });
  if (!answer.ok) { box.checked = !box.checked; toast(said(answer)); return; }
  if (isAll) for (const one of document.querySelectorAll(".repair-rows tbody input")) one.checked = box.checked;
  const chosen = answer.body.counts.chosen ?? 0;
  document.querySelector("#chosen").textContent = chosen.toLocaleString(document.documentElement.lang);
  document.querySelector("#apply").disabled = !chosen;
  document.querySelector("#all-rows").checked = chosen === answer.body.found;
});
