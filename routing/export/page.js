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
  document.querySelectorAll("li[data-at]").forEach(function (item) {
    function show() { MAP.setView(item.dataset.at.split(",").map(Number), Math.max(MAP.getZoom(), 15)); }
    item.addEventListener("click", function (event) { if (event.target.tagName !== "A") show(); });
    item.addEventListener("keydown", function (event) { if (event.key === "Enter") show(); });
  });
  /* A line as it travels: zigzag differences of millionths of a degree, five bits a character. */
  function decode(line) {
    var points = [], at = [0, 0], index = 0;
    while (index < line.length) {
      for (var axis = 0; axis < 2; axis++) {
        var shift = 0, value = 0, bits;
        do {
          bits = line.charCodeAt(index++) - 63;
          value |= (bits & 31) << shift;
          shift += 5;
        } while (bits >= 32);
        at[axis] += value & 1 ? ~(value >> 1) : value >> 1;
      }
      points.push([at[0] / 1e6, at[1] / 1e6]);
    }
    return points;
  }

  function mark(at, css, inside, size, above) {
    var icon = L.divIcon({ html: inside, className: css, iconSize: [size, size], iconAnchor: [size / 2, size / 2] });
    return L.marker(at, { icon: icon, zIndexOffset: above, interactive: above === 0 || css === "pin missed" });
  }

  function draw(day) {
    var group = L.featureGroup();
    day.legs.forEach(function (leg) {
      var line = decode(leg.line), dash = leg.estimated ? "7 7" : null;
      L.polyline(line, { color: "#fff", weight: 8, opacity: 0.9, interactive: false }).addTo(group);
      L.polyline(line, { color: day.colour, weight: 4, dashArray: dash, interactive: false }).addTo(group);
      var turn = "transform:rotate(" + leg.angle + "deg);border-left-color:" + day.colour;
      mark(leg.middle, "arrow", '<i style="' + turn + '"></i>', 12, -1000).addTo(group);
    });
    day.pins.forEach(function (pin) {
      var isMissed = pin.css === "pin missed";
      var pinned = mark(pin.at, pin.css, "<b>" + pin.label + "</b>", isMissed ? 14 : 26, isMissed ? -500 : 0);
      pinned.bindTooltip(pin.tip, { sticky: false }).addTo(group);
    });
    return [group.addTo(MAP), day.bounds];
  }

  /* Several days: one is shown, or all of them. */
  var days = DAYS.map(draw);
  function choose(which) {
    var bounds = L.latLngBounds([]);
    days.forEach(function (day, number) {
      var isShown = which === "all" || Number(which) === number;
      if (isShown) { day[0].addTo(MAP); bounds.extend(day[1]); } else day[0].remove();
      document.querySelector("section[data-day='" + number + "']").hidden = !isShown;
    });
    document.querySelectorAll("[data-show]").forEach(function (button) {
      button.setAttribute("aria-pressed", button.dataset.show === which);
    });
    MAP.fitBounds(bounds, { padding: [30, 30] });
    placeNames();
  }
  document.querySelectorAll("[data-show]").forEach(function (button) {
    button.addEventListener("click", function () { choose(button.dataset.show); });
  });
  MAP.on("zoomend resize", zoomed);
  if (days.length > 1) choose("0");
  zoomed();

  window.addEventListener("beforeprint", function () { MAP.invalidateSize(); });
});
