// “Within 20 minutes of here”: the place is chosen on the map, the answer is a term of the filter and a ring.

import { aim } from "./aim.js";

const TERM = /(?:^| and )within ([\d.]+) minutes of (-?[\d.]+), ?(-?[\d.]+)(?= and |$)/;

/** The drive that a filter asks for as {minutes, at}, or null. */
export function reachOf(filter) {
  const found = filter.match(TERM);
  return found ? { minutes: Number(found[1]), at: [Number(found[2]), Number(found[3])] } : null;
}

/** A filter with another drive, or with none. */
export function withReach(filter, reach) {
  const rest = filter.replace(TERM, "").replace(/^ and /, "").trim();
  if (!reach) return rest;
  const term = `within ${reach.minutes} minutes of ${reach.at[0].toFixed(5)}, ${reach.at[1].toFixed(5)}`;
  return rest ? `${term} and ${rest}` : term;
}

/**
 * The control in an element. `chosen.filter` is read and written, `changed()` is told; `known` is the map, on which
 * the ring is drawn. Returns what the layer draws, and whether the next click on the map chooses the place.
 */
export function reachControl(element, known, chosen, changed) {
  const button = element.querySelector("button"), minutes = element.querySelector("select"), hint = element.querySelector("[data-hint]");
  const drawn = { areas: null, centre: null };
  let asked = 0, isChoosing = false;

  const tool = aim(known.map, hint, { take, cancel: () => choosing(false) });
  function choosing(yes) {
    isChoosing = yes;
    minutes.hidden = !yes && !reachOf(chosen.filter);
    if (yes) tool.start(); else tool.stop();
  }
  async function draw() {
    const reach = reachOf(chosen.filter), turn = (asked += 1);
    button.setAttribute("aria-pressed", String(Boolean(reach)));
    minutes.hidden = !reach && !isChoosing;
    drawn.centre = reach?.at ?? null;
    drawn.areas = null;
    known.refresh();
    if (!reach) return;
    if (![...minutes.options].some((option) => Number(option.value) === reach.minutes)) minutes.add(new Option(`${reach.minutes} min`, reach.minutes));
    minutes.value = String(reach.minutes);
    const answer = await fetch(`/api/v1/roads/isochrone?point=${reach.at.join(",")}&minutes=${reach.minutes}`);
    if (!answer.ok || turn !== asked) return;
    drawn.areas = await answer.json();
    known.data("reached", drawn.areas);
    fit(drawn.areas);
  }
  function fit(areas) {
    let box = null;
    const take = (c) => {
      if (typeof c[0] === "number") box = box ? [Math.min(box[0], c[0]), Math.min(box[1], c[1]), Math.max(box[2], c[0]), Math.max(box[3], c[1])] : [c[0], c[1], c[0], c[1]];
      else c.forEach(take);
    };
    for (const area of areas.features) take(area.geometry.coordinates);
    known.fit(box, { padding: 50, duration: 300 });
  }
  function set(reach) {
    chosen.filter = withReach(chosen.filter, reach);
    choosing(false);
    draw();
    changed();
  }
  button.addEventListener("click", () => {
    if (reachOf(chosen.filter)) set(null);
    else choosing(!isChoosing);
  });
  minutes.addEventListener("change", () => {
    const reach = reachOf(chosen.filter);
    if (reach) set({ ...reach, minutes: Number(minutes.value) });
  });
  /** Takes a click on the map when a place is being chosen. */
  function take({ lng, lat }) {
    if (!isChoosing) return false;
    set({ minutes: Number(minutes.value), at: [lng, lat] });
    return true;
  }
  return { drawn, draw, take };
}
