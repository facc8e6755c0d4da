// The list of tickets: j and k move, x chooses, Enter opens; what is chosen can be changed at once.

const table = document.querySelector("#tickets");
const selection = document.querySelector("#selection");
const boxes = () => [...document.querySelectorAll('#tickets input[name="ids"]')];

function count() {
  if (!selection) return;
  const chosen = boxes().filter((box) => box.checked).length;
  selection.hidden = chosen === 0;
  document.querySelector("#chosen").textContent = chosen;
}

table?.addEventListener("change", (event) => {
  if (event.target.id === "all") boxes().forEach((box) => { box.checked = event.target.checked; });
  count();
});

document.addEventListener("keydown", (event) => {
  if (event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]") || event.ctrlKey || event.metaKey || event.altKey) return;
  const rows = [...document.querySelectorAll("#tickets tr[data-href]")];
  const at = rows.findIndex((row) => row.classList.contains("active"));
  if (["j", "k"].includes(event.key) && rows.length) {
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + (event.key === "j" ? 1 : -1)))];
    rows.forEach((row) => row.classList.toggle("active", row === next));
    next.scrollIntoView({ block: "nearest" });
    next.focus({ preventScroll: true });
  } else if (event.key === "x" && at >= 0) {
    const box = rows[at].querySelector('input[name="ids"]');
    if (box) { box.checked = !box.checked; count(); }
  }
});
