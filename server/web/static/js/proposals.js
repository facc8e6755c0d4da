// Proposed pins on one map: a dashed line leads from the pin to where it is proposed; a click on a card goes there.

import { boxOf, createMap } from "./map.js";
import { proposals, proposed, territories } from "./layers.js";

const element = document.querySelector("#proposal-map");
if (element) {
  const rows = JSON.parse(document.querySelector("#proposal-data").textContent);
  const around = (some) => boxOf(proposed(some));
  const map = await createMap(element, { box: around(rows), layers: [territories({ tint: .05 }), proposals(() => proposed(rows))], padding: 48 });
  document.addEventListener("click", (event) => {
    const card = event.target.closest?.("[data-proposal]");
    if (!card || event.target.closest("a, button, summary, input, label")) return;
    for (const one of document.querySelectorAll("[data-proposal]")) one.classList.toggle("chosen", one === card);
    map.fit(around(rows.filter((row) => row.id === card.dataset.proposal)), { padding: 90, maxZoom: 17 });
  });
}
