// Photos and files: sent as they are dropped or chosen, shown large, walked through by keys, deleted with undo.

import { csrf, toast } from "./app.js";

const said = (body) => [body?.detail, body?.help].filter(Boolean).join(" ");

async function post(path, body) {
  return fetch(path, { method: "POST", body, headers: { "X-CSRF-Token": csrf(), Accept: "text/html" } }).catch(() => null);
}

async function send(file) {
  const answer = await fetch(`/api/v1/files?name=${encodeURIComponent(file.name)}`, {
    method: "POST", body: file,
    headers: { "Content-Type": "application/octet-stream", "X-CSRF-Token": csrf(), Accept: "application/json" },
  }).catch(() => null);
  const body = answer ? await answer.json().catch(() => null) : null;
  if (!answer?.ok) toast(said(body) || file.name);
  return answer?.ok ? body.id : null;
}

async function sendAll(box, files) {
  const line = box.querySelector(".files-sending");
  line.hidden = false;
  for (const file of files) {
    line.textContent = `${file.name} …`;
    const id = await send(file);
    if (!id) continue;
    const answer = await post(`${box.dataset.attach}/add`, new URLSearchParams({ file_ids: id }));
    if (answer && (answer.ok || answer.status === 422)) { box = replaced(box, await answer.text()); }
  }
  box.querySelector(".files-sending").hidden = true;
}

function replaced(box, html) {
  const parsed = new DOMParser().parseFromString(html, "text/html").querySelector(".files");
  if (!parsed) return box;
  box.replaceWith(parsed);
  window.htmx?.process(parsed);
  return parsed;
}

async function remove(button) {
  const answer = await post(button.dataset.delete);
  if (!answer?.ok) { const body = await answer?.json().catch(() => null); toast(said(body) || "×"); return; }
  const { undoable } = JSON.parse(answer.headers.get("HX-Trigger"));
  document.querySelectorAll(`[data-delete="${button.dataset.delete}"]`).forEach((one) => one.closest("li").remove());
  document.body.dispatchEvent(new CustomEvent("undoable", { detail: undoable }));
}

// --- the viewer ------------------------------------------------------------------------------------------------------

let viewer = null;
let shown = null;

const around = (button) => [...button.closest(".gallery").querySelectorAll("[data-view]")];

function show(button) {
  shown = button;
  const all = around(button);
  const at = all.indexOf(button);
  viewer.querySelector("img").src = button.dataset.view;
  viewer.querySelector("img").alt = button.dataset.name;
  viewer.querySelector(".viewer-says").textContent = [button.dataset.name, button.dataset.says, all.length > 1 ? `${at + 1} / ${all.length}` : ""].filter(Boolean).join(" · ");
  viewer.querySelector("[data-original]").href = button.dataset.view;
  viewer.querySelector("[data-remove]").hidden = !button.dataset.delete;
  viewer.querySelector('[data-step="-1"]').disabled = at === 0;
  viewer.querySelector('[data-step="1"]').disabled = at === all.length - 1;
}

function open(button) {
  viewer?.remove();
  viewer = document.querySelector(".files template").content.querySelector("dialog").cloneNode(true);
  document.body.append(viewer);
  viewer.addEventListener("close", () => shown?.isConnected && shown.focus());
  show(button);
  viewer.showModal();
}

function step(by) {
  const all = around(shown);
  const next = all[all.indexOf(shown) + by];
  if (next) show(next);
}

async function removeShown() {
  if (!shown.dataset.delete) return;
  const all = around(shown);
  const next = all[all.indexOf(shown) + 1] ?? all[all.indexOf(shown) - 1];
  const gone = shown;
  if (next) show(next); else viewer.close();
  await remove(gone);
}

document.addEventListener("click", (event) => {
  const at = (name) => event.target.closest?.(name);
  if (at("[data-view]")) open(at("[data-view]"));
  else if (at(".viewer [data-shut]") || event.target === viewer) viewer.close();
  else if (at(".viewer [data-step]")) step(Number(at(".viewer [data-step]").dataset.step));
  else if (at(".viewer [data-remove]")) removeShown();
  else if (at(".file-row [data-delete]")) remove(at(".file-row [data-delete]"));
});

document.addEventListener("keydown", (event) => {
  if (event.target.matches?.(".files label[role=button]") && ["Enter", " "].includes(event.key)) { event.preventDefault(); event.target.querySelector("input").click(); return; }
  if (!viewer?.open) return;
  event.stopPropagation();
  if (event.key === "ArrowLeft") step(-1);
  else if (event.key === "ArrowRight") step(1);
  else if (event.key === "Delete") removeShown();
}, true);

// --- sending ---------------------------------------------------------------------------------------------------------

const box = (event) => event.target.closest?.("[data-attach]");

document.addEventListener("change", (event) => {
  if (box(event) && event.target.type === "file") sendAll(box(event), [...event.target.files]);
});
document.addEventListener("dragover", (event) => { if (box(event)) { event.preventDefault(); box(event).classList.add("over"); } });
document.addEventListener("dragleave", (event) => { if (box(event) && !box(event).contains(event.relatedTarget)) box(event).classList.remove("over"); });
document.addEventListener("drop", (event) => {
  if (!box(event) || !event.dataTransfer?.files.length) return;
  event.preventDefault();
  box(event).classList.remove("over");
  sendAll(box(event), [...event.dataTransfer.files]);
});
