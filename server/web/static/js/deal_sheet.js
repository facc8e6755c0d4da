// The sheet that asks for what a stage wants to know. Board and deal page share it.

import { fragment } from "./app.js";

const sheet = document.querySelector("#move-sheet");

/** Ask for what is missing; `moved` runs when the deal has moved. */
export async function ask(deal, stage, moved) {
  await fragment(sheet, `/pipeline/deals/${deal}/move?stage=${stage}`);
  sheet.showModal();
  sheet.querySelector("select, input:not([type=hidden]), textarea")?.focus();
  const done = () => { sheet.close(); moved(); };
  document.body.addEventListener("deal-moved", done, { once: true });
  sheet.addEventListener("close", () => document.body.removeEventListener("deal-moved", done), { once: true });
}

sheet.addEventListener("click", ({ target }) => { if (target.closest("[data-close]")) sheet.close(); });
