// Hexagons or prospects become leads, tasks or wanted visits with one click; the note that says so takes them back.

import { api, said, toast } from "./app.js";

/** A text for a number: there is one for 1. */
const counted = (words, name, count) => count === 1 && words[`${name}_one`] || words[name].replace("{n}", count);

/** Do it: `body` is {into, cells, prospect_ids, outline, ...}; `words` the page's texts; `changed` and, when it is taken back, `undone` come after. Resolves to whether something was made. */
export async function turn(body, words, changed, undone = changed) {
  const seen = await api("POST", "/api/v1/white-space/actions/preview", body);
  if (!seen.ok) { toast(said(seen, words.failed)); return false; }
  const { counts: all } = seen.body;
  if (all.made && !await agreed(body.into, seen.body, words)) return false;
  const answer = await api("POST", "/api/v1/white-space/actions", body);
  if (!answer.ok) { toast(said(answer, words.failed)); return false; }
  const { counts, id } = answer.body;
  const left = leftOut(answer.body, words);
  const made = counts.made ? counted(words, `made_${body.into}`, counts.made) : words[`made_${body.into}_none`];
  const text = [made, ...(counts.made || left.length ? left : [words[`nothing_${body.into}`]])].join(" ");
  const note = toast(text, counts.made ? { label: words.undo, run: () => undo(id, words, undone) } : null);
  note.dataset.made = id;
  await changed();
  return counts.made > 0;
}

/** What a button of density/turning.html is about, as the API takes it. */
const chosenOf = ({ cell, prospect, outline, kind }) => ({ ...(outline ? { outline: JSON.parse(outline) } : prospect ? { prospect_ids: [prospect] } : { cells: [cell] }), kind: kind ?? null });

/** The buttons of density/turning.html on a page, each of what its card counts; `changed(button)` comes after. */
export function turningButtons(words, changed) {
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest?.("[data-turn]");
    if (!button) return;
    button.disabled = true;
    await turn({ into: button.dataset.turn, ...chosenOf(button.dataset) }, words, () => changed(button));
    button.disabled = false;
  });
}

/** What is left out and why, in words; those that are refused by their names or what open data calls them. */
const leftOut = ({ counts, refused }, words) => Object.entries(counts).filter(([name, count]) => name !== "made" && count).map(([name, count]) => counted(words, `left_${name}`, count).replace("{names}", () => named(refused.filter((one) => one.reason === name))));
const named = (some) => some.slice(0, 3).map((one) => one.name.trim() && one.reason !== "nameless" ? `${one.name.slice(0, 40)}…` : one.source_id).join(", ") + (some.length > 3 ? " …" : "");

/** The second half of a double click is none for the map that lies below the button. */
function only() {
  const stop = (event) => { if (event.detail > 1) event.stopPropagation(); else over(); };
  const kinds = ["mousedown", "click", "dblclick"], over = () => { for (const one of kinds) document.removeEventListener(one, stop, true); };
  for (const one of kinds) document.addEventListener(one, stop, true);
}

/** Says how many, where, for whom, and what is left out; resolves to whether they are to be made. */
function agreed(into, seen, words) {
  const { counts, shares, examples } = seen;
  const box = document.createElement("dialog"), make = (tag, text, kind = "") => { const made = document.createElement(tag); made.textContent = text; made.className = kind; return made; };
  const list = make("ul", "", "plain-list"), row = make("div", "", "row"), go = make("button", words.make, "button primary"), stop = make("button", words.cancel, "button");
  const nobody = into === "visits" ? words.by_plan : words.by_rules;
  list.append(...shares.map((one) => make("li", words.part_of_it.replace("{n}", one.count).replace("{territory}", one.territory ?? words.no_territory).replace("{who}", one.who ?? nobody))));
  row.append(go, stop);
  const body = document.createElement("div");
  box.className = "ask";
  body.append(make("h2", words[`ask_${into}`]), make("p", words.will_make.replace("{n}", counts.made)), list, make("p", `${examples.join(", ")}${counts.made > examples.length ? " …" : ""}`, "quiet small"));
  if (into === "leads") body.append(make("p", words.worth, "quiet small"));
  const left = leftOut(seen, words);
  if (left.length) body.append(make("p", left.join(" "), "quiet small"));
  body.append(row);
  box.append(body);
  document.body.append(box);
  return new Promise((done) => {
    go.addEventListener("click", () => { box.close("make"); only(); });
    stop.addEventListener("click", () => box.close());
    box.addEventListener("close", () => { done(box.returnValue === "make"); box.remove(); });
    box.showModal();
  });
}

/** Take an action back and say what stays. */
export async function undo(id, words, changed) {
  const answer = await api("POST", `/api/v1/white-space/actions/${id}/undo`);
  if (!answer.ok) { toast(said(answer, words.failed)); return; }
  const { taken_back: back, kept } = answer.body;
  document.querySelector(`.toast[data-made="${id}"]`)?.remove(); // taken back elsewhere, it says what is not so any more
  toast([words.undone.replace("{n}", back), kept ? counted(words, "kept", kept) : ""].filter(Boolean).join(" "));
  await changed();
}
