// What every page of the console has: theme, keyboard, search, notes that pass.

import { refill } from "./keeping.js";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** A note that passes; `action` is {label, run}. Gives the note. */
export function toast(text, action = null) {
  const note = document.createElement("div");
  note.className = "toast";
  note.append(text);
  if (action) {
    const button = document.createElement("button");
    button.textContent = action.label;
    button.addEventListener("click", () => { note.remove(); action.run(); });
    note.append(button);
  }
  $("#toasts").append(note);
  setTimeout(() => note.remove(), action ? 10000 : 5000);
  return note;
}

export const csrf = () => JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRF-Token"] ?? "";

/** What an answer of the API refuses and how to mend it; `otherwise` when it says nothing. */
export const said = (answer, otherwise = "") => [answer.body?.detail, answer.body?.help].filter(Boolean).join(" ") || otherwise;

/** Put what the server draws at a path into a place of the page; forms and links of HTMX in it come alive. */
export async function fragment(target, path) {
  const answer = await fetch(path, { headers: { Accept: "text/html", "HX-Request": "true" } });
  if (answer.ok) refill(target, await answer.text());
}

/** Call our own API with the session's cookie; answers {ok, status, body}. An answer that is no JSON is none of ours. */
export async function api(method, path, body = undefined, headers = {}) {
  const answer = await fetch(path, {
    method, body: body === undefined ? undefined : JSON.stringify(body),
    headers: { Accept: "application/json", "Accept-Language": document.documentElement.lang, "Content-Type": "application/json", "X-CSRF-Token": csrf(), ...headers },
  });
  const read = answer.status === 204 ? null : await answer.json().catch(() => undefined);
  return { ok: answer.ok && read !== undefined, status: answer.status, body: read ?? null };
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest("[data-theme-toggle]")) {
    const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    localStorage.setItem("theme", theme);
    document.documentElement.dataset.theme = theme;
    document.dispatchEvent(new CustomEvent("themechange"));
  }
  if (target?.closest("[data-shortcuts]")) { $("#person").hidePopover?.(); $("#shortcuts").showModal(); }
  if (!target?.closest(".search")) $("#found")?.replaceChildren();
  const row = target?.closest("tr[data-href]");
  if (row && !target.closest("a, button, input, label")) {
    if (event.ctrlKey || event.metaKey) window.open(row.dataset.href, "_blank");
    else location.href = row.dataset.href;
  }
  const opener = target?.closest("[data-open]");
  if (opener) $(opener.dataset.open)?.showModal();
  if (target?.matches("dialog")) target.close();
});

function moveIn(list, step) {
  const at = list.findIndex((item) => item === document.activeElement || item.classList.contains("active"));
  const next = list[Math.max(0, Math.min(list.length - 1, at + step))];
  list.forEach((item) => item.classList.toggle("active", item === next));
  next?.scrollIntoView({ block: "nearest" });
  if (next?.matches("a, tr")) next.focus({ preventScroll: true });
}

/** Fold what is unfolded over the page, with the focus on what unfolds it; gives whether something was. A panel of a map stays
 * for whoever is not in it. */
function folded(target) {
  const open = target.closest?.("details[open]:is(.pop, .layer-panel)") ?? (target.closest?.("dialog") ? null : $$("details.pop[open]").at(-1));
  if (!open) return false;
  open.open = false;
  open.querySelector("summary").focus();
  return true;
}

let waitsForLetter = false;
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "Escape") {
    $("#found")?.replaceChildren();
    if (document.dispatchEvent(new CustomEvent("escape", { cancelable: true })) && folded(event.target)) return;
    if (typing) event.target.blur();
    return;
  }
  if (typing?.id === "search" && ["ArrowDown", "ArrowUp"].includes(event.key)) {
    event.preventDefault();
    moveIn($$("#found a"), event.key === "ArrowDown" ? 1 : -1);
    return;
  }
  if (event.target.closest?.("#found") && ["ArrowDown", "ArrowUp"].includes(event.key)) {
    event.preventDefault();
    moveIn($$("#found a"), event.key === "ArrowDown" ? 1 : -1);
    return;
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); $("#search")?.select(); $("#search")?.focus(); return; }
  if (typing?.id === "search" && event.key === "Enter" && $("#found a")) {
    event.preventDefault();
    ($("#found a.active") ?? $("#found a")).click();
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (waitsForLetter) {
    waitsForLetter = false;
    $(`:is(.rail, #more) a[data-key="${CSS.escape(event.key)}"]`)?.click();
    return;
  }
  if (event.key === "/") { event.preventDefault(); $("#search")?.focus(); }
  else if (event.key === "?") $("#shortcuts")?.showModal();
  else if (event.key === "g") { waitsForLetter = true; setTimeout(() => { waitsForLetter = false; }, 1200); }
  else if (["ArrowDown", "ArrowUp"].includes(event.key)) {
    const rows = $$("tr[data-href]");
    if (rows.length && !event.target.closest?.(".map")) { event.preventDefault(); moveIn(rows, event.key === "ArrowDown" ? 1 : -1); }
  } else if (event.key === "Enter") {
    const row = $("tr[data-href].active");
    if (row) location.href = row.dataset.href;
  }
});

// What scrolls and holds nothing to step on is stepped on itself, so that the keyboard scrolls it.
function reachable() {
  for (const box of $$(".main, .table-wrap, .chips")) {
    const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    if (scrolls && !$(":is(a[href], button, input, select, textarea, summary):not([disabled], [type=hidden], [tabindex='-1'])", box)) box.tabIndex = 0;
  }
}
addEventListener("load", reachable);
document.addEventListener("htmx:afterSettle", reachable);

// A second press on what is on its way is the same press. Forms and links that ask for a moment's patience say so.
const sent = new Set();
addEventListener("pageshow", () => sent.clear());
document.addEventListener("submit", (event) => {
  const button = event.submitter, isPosted = event.target.method === "post" && !event.defaultPrevented;
  if (isPosted && sent.has(event.target)) { event.preventDefault(); return; }
  if (isPosted) { sent.add(event.target); setTimeout(() => sent.delete(event.target), 5000); }
  if (button?.dataset.busy) { button.setAttribute("aria-busy", "true"); button.dataset.label = button.textContent; button.textContent = button.dataset.busy; }
});

// What was deleted can be brought back for a while without looking for it.
document.body.addEventListener("undoable", (event) => {
  const { text, label, path } = event.detail;
  toast(text, { label, run: async () => {
    const answer = await fetch(path, { method: "POST", headers: { "X-CSRF-Token": csrf(), Accept: "text/html" } });
    if (answer.ok) location.reload();
  } });
});

document.body.addEventListener("htmx:sendError", () => toast(document.documentElement.lang === "de" ? "Keine Verbindung zum Server." : "The server does not answer."));
