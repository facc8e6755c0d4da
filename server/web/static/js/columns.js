// What a new record needs and no column means is said while the columns are chosen, and how many columns are out of sight.

document.addEventListener("change", ({ target }) => {
  const form = target.closest("form.stack");
  if (!form?.querySelector("[data-needs]")) return;
  const chosen = new Set([...form.querySelectorAll("select[name^=column-]")].map((one) => one.value));
  const isNew = form.elements.mode.value !== "update";
  for (const note of form.querySelectorAll("[data-needs]")) {
    note.hidden = !isNew || note.dataset.needs.split(" ").some((name) => chosen.has(name));
  }
});

/** How many columns of the table are not wholly in view on its right. */
function further() {
  const told = document.querySelector("#further"), box = document.querySelector(".table-wrap:has(.mapping)");
  if (!told || !box) return;
  const edge = box.getBoundingClientRect().right;
  const hidden = [...box.querySelectorAll("th")].filter((one) => one.getBoundingClientRect().right > edge + 1).length;
  told.hidden = !hidden;
  told.textContent = hidden === 1 ? told.dataset.one : told.dataset.many.replace("{n}", hidden);
}
addEventListener("resize", further);
document.addEventListener("scroll", further, { capture: true, passive: true });
document.addEventListener("htmx:afterSettle", further);
further();
