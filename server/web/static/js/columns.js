// What a new record needs and no column means is said while the columns are chosen.

document.addEventListener("change", ({ target }) => {
  const form = target.closest("form.stack");
  if (!form?.querySelector("[data-needs]")) return;
  const chosen = new Set([...form.querySelectorAll("select[name^=column-]")].map((one) => one.value));
  const isNew = form.elements.mode.value !== "update";
  for (const note of form.querySelectorAll("[data-needs]")) {
    note.hidden = !isNew || note.dataset.needs.split(" ").some((name) => chosen.has(name));
  }
});
