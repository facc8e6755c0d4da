// A pin in a form: click on the map or drag it; the form's fields lon and lat follow, or those with the prefix in `data-pin`.

import { createMap } from "./map.js";
import { territories } from "./layers.js";

for (const element of document.querySelectorAll("[data-pin]")) {
  const form = element.closest("form");
  const at = element.dataset.lon ? [Number(element.dataset.lon), Number(element.dataset.lat)] : null;
  const box = at ? [at[0] - .01, at[1] - .006, at[0] + .01, at[1] + .006] : null;
  const { map } = await createMap(element, { box, layers: [territories({ tint: .06 })] });
  const isFixed = "fixed" in element.dataset;
  let marker;
  const put = (lngLat) => {
    if (!marker) {
      const handle = document.createElement("div");
      handle.className = isFixed ? "map-marker still" : "map-marker";
      marker = new maplibregl.Marker({ element: handle, draggable: !isFixed }).setLngLat(lngLat).addTo(map);
      marker.on("dragend", () => put(marker.getLngLat()));
    }
    marker.setLngLat(lngLat);
    const { lng, lat } = marker.getLngLat();
    form.elements[`${element.dataset.pin}lon`].value = lng.toFixed(6);
    form.elements[`${element.dataset.pin}lat`].value = lat.toFixed(6);
  };
  if (at) put(at);
  if (!isFixed) map.on("click", (event) => put(event.lngLat));
}
