// A tool that asks for places on the map: with the pointer where it clicks, with keys at the cross in the middle. One is on at a time.

let active = null;

/** The cross in the middle of a map, the same for all its tools. */
function crossOf(container) {
  const there = container.querySelector(".map-cross"), cross = there ?? document.createElement("div");
  if (!there) {
    cross.className = "map-cross";
    cross.hidden = true;
    container.append(cross);
  }
  return cross;
}

/**
 * `hint` prompts while the tool is on; its [data-by=pointer] and [data-by=keys] say how. `take({lng, lat})` is told where
 * Enter was pressed, `back()` of Backspace, `cancel()` of Escape or of another tool. Returns {start(), stop(), isByKeys()}.
 */
export function aim(map, hint, { take, cancel, back = () => {} }) {
  const canvas = map.getCanvas(), cross = crossOf(map.getContainer()), me = { cancel };
  let isOn = false, isByKeys = false, from = null;

  function keys(yes) {
    isByKeys = yes;
    cross.hidden = !isOn || !yes;
    for (const part of hint.querySelectorAll("[data-by]")) part.hidden = (part.dataset.by === "keys") !== yes;
  }
  function turned(yes) {
    isOn = yes;
    hint.hidden = !yes;
    canvas.classList.toggle("choosing", yes);
    keys(yes && from.matches(":focus-visible"));
  }
  canvas.addEventListener("focus", () => { if (isOn && canvas.matches(":focus-visible")) keys(true); });
  canvas.addEventListener("pointerdown", () => { if (isOn) keys(false); });
  canvas.addEventListener("keydown", (event) => {
    if (!isOn) return;
    if (event.key.startsWith("Arrow")) keys(true);
    else if (event.key === "Backspace") back();
    else if (event.key === "Enter" && isByKeys) {
      event.preventDefault();
      event.stopPropagation();
      const here = () => { if (isOn) take(map.getCenter()); };
      if (map.isMoving()) map.once("moveend", here); else here();
    }
  });
  document.addEventListener("escape", (event) => {
    if (!isOn) return;
    event.preventDefault();
    cancel();
  });
  return {
    isByKeys: () => isByKeys,
    /** Whoever came by keys goes on to the map. */
    start() {
      if (active !== me) active?.cancel();
      active = me;
      from = document.activeElement;
      turned(true);
      if (isByKeys) canvas.focus({ preventScroll: true });
    },
    /** Whoever was on the map comes back to where the tool is. */
    stop() {
      if (!isOn) return;
      active = null;
      turned(false);
      if (document.activeElement === canvas) from.focus({ preventScroll: true });
    },
  };
}
