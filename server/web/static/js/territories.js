// The territories on their map; a click on a name shows its area.

import { accounts, territories } from "./layers.js";
import { boxOf, createMap } from "./map.js";

const outlines = JSON.parse(document.querySelector("#boxes").textContent);
const boxes = Object.fromEntries(Object.entries(outlines).map(([id, geometry]) => [id, boxOf({ features: [{ geometry }] })]));
const whole = boxOf({ features: Object.values(outlines).map((geometry) => ({ geometry })) });
const known = await createMap(document.querySelector("#territory-map"), { box: whole, layers: [territories({ tint: .2 }), accounts(() => ({}))] });
document.addEventListener("click", (event) => {
  const name = event.target.closest?.("[data-territory]");
  if (name) known.fit(boxes[name.dataset.territory], { duration: 300 });
});
