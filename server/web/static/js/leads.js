// The list of leads: how many are ticked, all at once, and a tick does not open the row.

const form = document.querySelector("#bulk");
const ticks = () => [...(form?.querySelectorAll("[name=lead]") ?? [])];
function count() {
  const ticked = ticks().filter((one) => one.checked).length;
  const label = document.querySelector("#ticked");
  if (label) label.textContent = String(ticked);
}
form?.addEventListener("change", ({ target }) => {
  if (target.id === "all") for (const one of ticks()) one.checked = target.checked;
  count();
});
form?.addEventListener("click", (event) => { if (event.target.closest(".tick")) event.stopPropagation(); }, true);
count();
