window.addEventListener("load", function () {
  L.control.scale({ imperial: false }).addTo(MAP);
  function arrows() { MAP.getContainer().classList.toggle("near", MAP.getZoom() >= 13); }
  MAP.on("zoomend", arrows); arrows();
  document.querySelectorAll("li[data-at]").forEach(function (item) {
    function show() { MAP.setView(item.dataset.at.split(",").map(Number), Math.max(MAP.getZoom(), 15)); }
    item.addEventListener("click", function (event) { if (event.target.tagName !== "A") show(); });
    item.addEventListener("keydown", function (event) { if (event.key === "Enter") show(); });
  });
  window.addEventListener("beforeprint", function () { MAP.invalidateSize(); });
});
