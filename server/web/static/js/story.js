// Notes: files are sent as they are chosen, and an @ offers the people who may see the account.

import { csrf, toast } from "./app.js";

async function send(form, file) {
  const place = form.querySelector(".sent-files");
  const chip = document.createElement("span");
  chip.className = "tag";
  chip.textContent = `${file.name} …`;
  place.append(chip);
  const answer = await fetch(`/api/v1/files?name=${encodeURIComponent(file.name)}`, {
    method: "POST", body: file,
    headers: { "Content-Type": "application/octet-stream", "X-CSRF-Token": csrf(), Accept: "application/json" },
  }).catch(() => null);
  const body = answer ? await answer.json().catch(() => null) : null;
  if (!answer?.ok) {
    chip.remove();
    toast([body?.detail, body?.help].filter(Boolean).join(" ") || file.name);
    return;
  }
  chip.textContent = file.name;
  const hidden = Object.assign(document.createElement("input"), { type: "hidden", name: "file_ids", value: body.id });
  const remove = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: "×" });
  remove.setAttribute("aria-label", `× ${file.name}`);
  remove.addEventListener("click", () => chip.remove());
  chip.append(hidden, remove);
}

const sendAll = (form, files) => { for (const file of files) send(form, file); };

document.addEventListener("change", (event) => {
  const form = event.target.closest?.("[data-files]");
  if (form && event.target.type === "file") { sendAll(form, event.target.files); event.target.value = ""; }
});
document.addEventListener("paste", (event) => {
  const form = event.target.closest?.("[data-files]");
  if (form && event.clipboardData?.files.length) { event.preventDefault(); sendAll(form, event.clipboardData.files); }
});
document.addEventListener("dragover", (event) => { if (event.target.closest?.("[data-files]")) event.preventDefault(); });
document.addEventListener("drop", (event) => {
  const form = event.target.closest?.("[data-files]");
  if (form && event.dataTransfer?.files.length) { event.preventDefault(); sendAll(form, event.dataTransfer.files); }
});

// --- mentions --------------------------------------------------------------------------------------------------------

const begun = (area) => /(?:^|[^\w@.])@([\w.-]*)$/.exec(area.value.slice(0, area.selectionStart));
let asked = 0;

function close(area) { area.parentElement.querySelector(".people")?.remove(); area.removeAttribute("aria-expanded"); }

function take(area, login) {
  const at = area.selectionStart;
  const start = area.value.slice(0, at).replace(/@[\w.-]*$/, `@${login} `);
  area.value = start + area.value.slice(at);
  area.setSelectionRange(start.length, start.length);
  close(area);
  area.focus();
}

document.addEventListener("input", async (event) => {
  const area = event.target;
  if (!area.dataset?.mentions) return;
  const found = begun(area);
  if (!found) { close(area); return; }
  const mine = ++asked;
  const answer = await fetch(`${area.dataset.mentions}?q=${encodeURIComponent(found[1])}`, { headers: { Accept: "application/json" } });
  if (!answer.ok || mine !== asked) return;
  const { items } = await answer.json();
  close(area);
  if (!items.length) return;
  const list = document.createElement("div");
  list.className = "people";
  list.setAttribute("role", "listbox");
  items.forEach((person, index) => {
    const option = document.createElement("button");
    option.type = "button";
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", String(index === 0));
    option.dataset.login = person.login;
    option.append(Object.assign(document.createElement("b"), { textContent: person.name }), ` @${person.login}`);
    list.append(option);
  });
  area.setAttribute("aria-expanded", "true");
  area.parentElement.append(list);
});

document.addEventListener("click", (event) => {
  const option = event.target.closest?.(".people [data-login]");
  if (option) take(option.closest(".mention-box").querySelector("textarea"), option.dataset.login);
});

document.addEventListener("keydown", (event) => {
  const area = event.target;
  const options = area.dataset?.mentions ? [...area.parentElement.querySelectorAll(".people [data-login]")] : [];
  if (!options.length) return;
  const at = options.findIndex((one) => one.getAttribute("aria-selected") === "true");
  if (event.key === "Escape") { event.stopPropagation(); close(area); return; }
  if (event.key === "Enter" || event.key === "Tab") { event.preventDefault(); take(area, options[at].dataset.login); return; }
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  event.preventDefault();
  const next = (at + (event.key === "ArrowDown" ? 1 : options.length - 1)) % options.length;
  options.forEach((one, index) => one.setAttribute("aria-selected", String(index === next)));
}, true);
