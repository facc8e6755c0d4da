// The list of deals: choose many, change them; an amount or a day is changed where it stands.

import { api, toast } from "./app.js";

const table = document.querySelector("#deals"), bar = document.querySelector("#bulk-bar");
const boxes = () => [...document.querySelectorAll('input[name="deal"]')];

function count() {
  const chosen = boxes().filter((one) => one.checked).length;
  if (!bar) return;
  bar.hidden = !chosen;
  bar.querySelector("[data-count]").textContent = chosen;
}
table?.addEventListener("change", ({ target }) => {
  if (target.matches("[data-all]")) for (const one of boxes()) one.checked = target.checked;
  count();
});

table?.addEventListener("click", (event) => {
  const cell = event.target.closest(".quick");
  if (!cell || cell.querySelector("input") || !bar) return;
  event.stopPropagation();
  const row = cell.closest("tr"), before = cell.innerHTML, input = document.createElement("input");
  input.type = cell.dataset.type;
  input.value = cell.dataset.value;
  cell.replaceChildren(input);
  input.focus();
  let settled = false;
  const back = () => { settled = true; cell.innerHTML = before; };
  const save = async () => {
    if (settled) return;
    if (input.value === cell.dataset.value) { back(); return; }
    settled = true;
    const { ok, body } = await api("PATCH", `/api/v1/opportunities/${row.dataset.id}`, { [cell.dataset.field]: input.value.replace(",", ".") || null }, { "If-Match": `"${row.dataset.rev}"` });
    if (!ok) { cell.innerHTML = before; toast(`${body?.detail ?? ""} ${body?.help ?? ""}`); return; }
    row.dataset.rev = body.rev;
    row.querySelector('input[name="deal"]').value = `${body.id}:${body.rev}`;
    cell.dataset.value = body[cell.dataset.field] ?? "";
    cell.textContent = cell.dataset.field === "amount" ? `${Number(body.amount ?? 0).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 0 })} ${body.currency}` : new Date(body.close_on).toLocaleDateString(document.documentElement.lang, { weekday: "short", day: "numeric", month: "short" });
  };
  input.addEventListener("blur", save);
  input.addEventListener("keydown", (key) => {
    key.stopPropagation();
    if (key.key === "Enter") { key.preventDefault(); input.blur(); }
    if (key.key === "Escape") back();
  });
}, true);
