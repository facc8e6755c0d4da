// The board: cards are dragged, or moved by keyboard; shown moved at once and put back when the server refuses.

import { api, toast } from "./app.js";
import { ask } from "./deal_sheet.js";

document.querySelector("[data-submits]")?.addEventListener("change", ({ target }) => target.form.submit());
const board = document.querySelector("#board");
const lanes = () => [...board.querySelectorAll(".lane")];
const laneOf = (stage) => board.querySelector(`.lane[data-stage="${stage}"]`);
const cardsOf = (lane) => [...lane.querySelectorAll(".deal-card")];

/** Put a card into a column where its day belongs. */
function put(card, lane) {
  const list = lane.querySelector(".lane-cards");
  const after = cardsOf(lane).find((other) => other !== card && other.dataset.close > card.dataset.close);
  list.insertBefore(card, after ?? list.querySelector(".more-cards"));
}

async function heads() {
  const query = board.dataset.query;
  const answer = await fetch(`/pipeline/heads/${board.dataset.pipeline}${query ? `?${query}` : ""}`, { headers: { "HX-Request": "true" } });
  if (!answer.ok) return;
  const fresh = document.createElement("template");
  fresh.innerHTML = await answer.text();
  for (const head of fresh.content.querySelectorAll(".lane-sum")) document.getElementById(head.id)?.replaceWith(head);
}

function moved(card, lane, from, rev) {
  put(card, lane);
  if (rev) card.dataset.rev = rev;
  heads();
  card.focus();
  toast(board.dataset.moved.replace("%", lane.dataset.name), { label: board.dataset.undo, run: () => move(card, from, false) });
}

/** After the sheet: the card has a new revision that the page asks for. */
async function settle(card, lane, from) {
  const { ok, body } = await api("GET", `/api/v1/opportunities/${card.dataset.id}`);
  moved(card, lane, from, ok ? body.rev : null);
}

export async function move(card, lane) {
  const from = card.closest(".lane");
  if (!lane || lane === from || board.dataset.mayWrite !== "true" || card.classList.contains("pending")) return;
  card.classList.add("pending");
  put(card, lane);
  const { ok, body } = await api("POST", `/api/v1/opportunities/${card.dataset.id}/move`, { stage_id: lane.dataset.stage, fields: {} }, { "If-Match": `"${card.dataset.rev}"` }).catch(() => ({ ok: false, body: null }));
  card.classList.remove("pending");
  if (ok) { moved(card, lane, from, body.rev); return; }
  put(card, from);
  card.focus();
  if (body?.code === "fields_missing") { ask(card.dataset.id, lane.dataset.stage, () => settle(card, lane, from)); return; }
  toast(body ? `${body.detail} ${body.help ?? ""}` : board.dataset.failed);
  if (body?.code === "moved_meanwhile") {
    card.dataset.rev = body.rev;
    const there = laneOf(body.stage.id);
    if (there) put(card, there);
    heads();
  }
}

if (board) {
  let dragged = null;
  board.addEventListener("dragstart", (event) => {
    dragged = event.target.closest(".deal-card");
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.name);
    dragged.classList.add("dragged");
  });
  board.addEventListener("dragover", (event) => {
    const lane = event.target.closest(".lane");
    if (!dragged || !lane) return;
    event.preventDefault();
    for (const one of lanes()) one.classList.toggle("over", one === lane);
  });
  board.addEventListener("drop", (event) => {
    event.preventDefault();
    if (dragged) move(dragged, event.target.closest(".lane"));
  });
  board.addEventListener("dragend", () => {
    dragged?.classList.remove("dragged");
    dragged = null;
    for (const one of lanes()) one.classList.remove("over");
  });

  const menu = document.querySelector("#move-menu");
  let chosen = null;
  const pick = (stage) => { menu.close(); if (chosen && stage) move(chosen, laneOf(stage)); };
  menu.addEventListener("click", ({ target }) => pick(target.closest("[data-to]")?.dataset.to));
  menu.addEventListener("keydown", (event) => {
    const buttons = [...menu.querySelectorAll("[data-to]")];
    if (/^[1-9]$/.test(event.key)) pick(buttons[Number(event.key) - 1]?.dataset.to);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length].focus(); }
  });

  const around = (card, key) => {
    const lane = card.closest(".lane"), own = cardsOf(lane), at = own.indexOf(card);
    if (key === "ArrowDown" || key === "ArrowUp") return own[at + (key === "ArrowDown" ? 1 : -1)];
    const all = lanes(), step = key === "ArrowRight" ? 1 : -1;
    for (let next = all.indexOf(lane) + step; next >= 0 && next < all.length; next += step) {
      const cards = cardsOf(all[next]);
      if (cards.length) return cards[Math.min(at, cards.length - 1)];
    }
    return null;
  };
  board.addEventListener("keydown", (event) => {
    const card = event.target.closest(".deal-card");
    if (!card || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow")) {
      event.preventDefault();
      event.stopPropagation();
      const next = around(card, event.key);
      next?.focus({ preventScroll: true });
      next?.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else if (event.key === "Enter" && event.target === card) location.href = card.querySelector("a").href;
    else if (event.key === "m" && board.dataset.mayWrite === "true") { chosen = card; menu.showModal(); menu.querySelector("[data-to]").focus(); }
  });
  board.addEventListener("click", ({ target }) => { if (!target.closest("a, button")) target.closest(".deal-card")?.focus(); });
  board.addEventListener("dblclick", ({ target }) => { const card = target.closest(".deal-card"); if (card) location.href = card.querySelector("a").href; });
  document.addEventListener("keydown", (event) => {
    if (document.activeElement === document.body && event.key.startsWith("Arrow")) { event.preventDefault(); board.querySelector(".deal-card")?.focus(); }
  });

  // How many columns lie beyond the right edge, and the way there.
  const further = document.querySelector("#more-lanes");
  const beyond = () => lanes().filter((lane) => lane.getBoundingClientRect().right > board.getBoundingClientRect().right + 8);
  const hint = () => { const n = beyond().length; further.hidden = !n; further.firstElementChild.textContent = n; };
  further.addEventListener("click", () => beyond()[0]?.scrollIntoView({ block: "nearest", inline: "end" }));
  board.addEventListener("scroll", hint, { passive: true });
  new ResizeObserver(hint).observe(board);
  board.dataset.ready = "true";
}
