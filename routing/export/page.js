window.addEventListener("load", function () {
  L.control.scale({ imperial: false }).addTo(MAP);

  function isFree(box, taken) {
    return !taken.some(function (other) {
      return box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3];
    });
  }

  /* A name finds room at its place or beside it, greater places first; one that would lie on a pin or on another
     name is left out at this zoom. */
  function placeNames() {
    var taken = [], names = [];
    MAP.eachLayer(function (layer) {
      if (!(layer instanceof L.Marker)) return;
      var css = layer.options.icon.options.className, at = MAP.latLngToContainerPoint(layer.getLatLng());
      if (css.indexOf("place") === 0) names.push([layer.getElement(), at]);
      else if (css.indexOf("pin") === 0) taken.push([at.x - 13, at.y - 13, at.x + 13, at.y + 13]);
    });
    names.forEach(function (name) {
      var label = name[0].firstChild, at = name[1], half = label.offsetWidth / 2 + 2, high = label.offsetHeight + 2;
      var offsets = [[0, -high / 2], [0, 13], [0, -13 - high], [half + 13, -high / 2], [-half - 13, -high / 2]];
      var offset = label.offsetWidth && offsets.find(function (by) {
        return isFree([at.x + by[0] - half, at.y + by[1], at.x + by[0] + half, at.y + by[1] + high], taken);
      });
      name[0].style.visibility = offset ? "visible" : "hidden";
      if (!offset) return;
      label.style.transform = "translate(" + offset[0] + "px," + offset[1] + "px)";
      taken.push([at.x + offset[0] - half, at.y + offset[1], at.x + offset[0] + half, at.y + offset[1] + high]);
    });
  }

  function zoomed() {
    MAP.getContainer().classList.toggle("near", MAP.getZoom() >= 13);
    placeNames();
  }
  MAP.on("zoomend resize", zoomed);
  zoomed();

  document.querySelectorAll("li[data-at]").forEach(function (item) {
    function show() { MAP.setView(item.dataset.at.split(",").map(Number), Math.max(MAP.getZoom(), 15)); }
    item.addEventListener("click", function (event) { if (event.target.tagName !== "A") show(); });
    item.addEventListener("keydown", function (event) { if (event.key === "Enter") show(); });
  });
  window.addEventListener("beforeprint", function () { MAP.invalidateSize(); });
});
