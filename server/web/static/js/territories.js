// The territories on their map; a click on a name shows its area; tools draw, split, merge and give ground.

import { api, said, toast } from "./app.js";
import { editor } from "./territory_editor.js";
import { css } from "./basemap.js";
import { accounts, territories } from "./layers.js";
import { boxOf, createMap } from "./map.js";

const outlines = JSON.parse(document.querySelector("#boxes").textContent);
const troubles = JSON.parse(document.querySelector("#troubles").textContent);
const boxes = Object.fromEntries(Object.entries(outlines).map(([id, geometry]) => [id, boxOf({ features: [{ geometry }] })]));
const whole = boxOf({ features: Object.values(outlines).map((geometry) => ({ geometry })) });
const empty = { type: "FeatureCollection", features: [] };

/** Gaps, overlaps, and what a change would draw. */
function sketches() {
  const seen = { preview: empty };
  return {
    name: "sketches", seen,
    parts: () => ({
      sources: {
        troubles: { type: "geojson", data: { ...empty, features: troubles.map((one) => ({ type: "Feature", properties: { kind: one.kind }, geometry: one.area })) } },
        preview: { type: "geojson", data: seen.preview },
      },
      under: [
        { id: "trouble-areas", type: "fill", source: "troubles", paint: { "fill-color": css("--bad"), "fill-opacity": .45 } },
        { id: "trouble-edges", type: "line", source: "troubles", paint: { "line-color": css("--bad"), "line-width": 2 } },
        { id: "preview-areas", type: "fill", source: "preview", paint: { "fill-color": ["get", "colour"], "fill-opacity": .35 } },
        { id: "preview-edges", type: "line", source: "preview", paint: { "line-color": css("--blaze"), "line-width": 2.5, "line-dasharray": [2, 1.5] } },
      ],
    }),
  };
}

/** Take a change back, or call one off: no map is needed for that. */
document.addEventListener("click", async ({ target }) => {
  const undo = target.closest?.("[data-undo]")?.dataset.undo, drop = target.closest?.("[data-drop]")?.dataset.drop;
  if (!undo && !drop) return;
  const answer = undo ? await api("POST", `/api/v1/territory-changes/${undo}/undo`) : await api("DELETE", `/api/v1/territory-changes/${drop}`);
  if (answer.ok) location.assign(undo ? `/territories?done=${undo}` : "/territories");
  else toast(said(answer, JSON.parse(document.querySelector("#words").textContent).failed));
});

const layer = sketches();
const known = await createMap(document.querySelector("#territory-map"), { box: whole, layers: [territories({ tint: .2 }), layer, accounts(() => ({}))] });
const tools = document.querySelector("#edit-panel") ? editor(known, { troubles, outlines }, (parts, fly = false) => {
  layer.seen.preview = { ...empty, features: parts.filter((part) => part.area).map((part) => ({ type: "Feature", properties: { colour: part.colour }, geometry: part.area })) };
  known.data("preview", layer.seen.preview);
  if (fly && layer.seen.preview.features.length) known.fit(boxOf(layer.seen.preview), { duration: 300 }); // it may lie where nobody looks
}) : null;
const aimed = boxes[location.hash.replace("#territory-", "")];
if (aimed) known.fit(aimed, { duration: 0 });
document.querySelector("#territory-map").dataset.tools = String(Boolean(tools));

document.addEventListener("click", (event) => {
  const name = event.target.closest?.("[data-territory]"), trouble = event.target.closest?.("[data-trouble]");
  if (name) known.fit(boxes[name.dataset.territory], { duration: 300 });
  if (trouble) known.fit(boxOf({ features: [{ geometry: troubles[trouble.dataset.trouble].area }] }), { duration: 300 });
});
known.map.on("click", "territory-areas", ({ features }) => tools?.clicked(features.map((one) => one.properties.id ?? one.id)));
