// One deal: its stage bar moves it; a quote or an order waits for lines that are not saved.

import { api, toast } from "./app.js";
import { ask } from "./deal_sheet.js";

const deal = document.querySelector("#deal");
document.addEventListener("click", async ({ target }) => {
  const stage = target.closest("[data-move]")?.dataset.move;
  if (!stage || stage === deal.dataset.stage) return;
  const { ok, body } = await api("POST", `/api/v1/opportunities/${deal.dataset.id}/move`, { stage_id: stage, fields: {} }, { "If-Match": `"${deal.dataset.rev}"` });
  if (ok) location.href = `/pipeline/deals/${deal.dataset.id}`;
  else if (body?.code === "fields_missing") ask(deal.dataset.id, stage, () => { location.href = `/pipeline/deals/${deal.dataset.id}`; });
  else toast(`${body?.detail ?? ""} ${body?.help ?? ""}`);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target.name !== "line_name") return;
  event.preventDefault(); // it chooses a product; saving has a button
  event.target.nextElementSibling.focus();
});

document.addEventListener("submit", (event) => {
  const lines = document.querySelector("#deal-lines");
  if (!lines || !event.target.closest("#trade-of-deal")) return;
  const isTyped = "refused" in lines.dataset || [...lines.querySelectorAll(".line-row input")].some((one) => one.value !== one.defaultValue);
  if (!isTyped) return;
  event.preventDefault();
  lines.closest("details").open = true;
  lines.scrollIntoView({ block: "center" });
  toast(lines.dataset.unsaved);
});
