// Tasks: one key finishes the chosen one, ticks gather several.

const form = document.querySelector("#several");
const boxes = () => [...document.querySelectorAll("#several [name=ids][type=checkbox]")];

function count() {
  const bar = document.querySelector(".several");
  if (!bar) return;
  const chosen = boxes().filter((box) => box.checked).length;
  bar.hidden = chosen === 0;
  bar.querySelector("[data-count]").textContent = chosen;
}

document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-all]")) for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.matches?.("[name=who]")) event.target.form.submit();
  count();
});

// One row's button sends that row alone, whatever is ticked.
document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-done]")) for (const box of boxes()) box.checked = false;
});

document.addEventListener("keydown", (event) => {
  if (event.target.closest?.("input:not([type=checkbox]), textarea, select, dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
  const row = document.querySelector("#several tr.active") ?? event.target.closest?.("#several tr[data-id]");
  if (event.key === "x") (row ?? document.querySelector("#several tr[data-id]"))?.querySelector("[data-done]")?.click();
  else if (event.key === "n") { event.preventDefault(); document.querySelector("#new-task")?.showModal(); }
  else if (event.key === " " && row && !event.target.matches("input, button, a")) {
    event.preventDefault();
    const box = row.querySelector("[type=checkbox]");
    box.checked = !box.checked;
    count();
  }
});
form?.addEventListener("submit", () => form.setAttribute("aria-busy", "true"));
