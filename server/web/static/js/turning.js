// Hexagons or prospects become leads, tasks or wanted visits with one click; the note that says so takes them back.

import { api, said, toast } from "./app.js";

/** A text for a number: there is one for 1. */
const counted = (words, name, count) => count === 1 && words[`${name}_one`] || words[name].replace("{n}", count);

/** Do it: `body` is {into, cells, prospect_ids, ...}; `words` the page's texts. Resolves to whether something was made. */
export async function turn(body, words, changed) {
  const answer = await api("POST", "/api/v1/white-space/actions", body);
  if (!answer.ok) { toast(said(answer, words.failed)); return false; }
  const { counts, id } = answer.body;
  const left = Object.entries(counts).filter(([name, count]) => name !== "made" && count).map(([name, count]) => counted(words, `left_${name}`, count));
  const made = counts.made ? counted(words, `made_${body.into}`, counts.made) : words[`made_${body.into}_none`];
  const text = [made, ...(counts.made || left.length ? left : [words[`nothing_${body.into}`]])].join(" ");
  toast(text, counts.made ? { label: words.undo, run: () => undo(id, words, changed) } : null);
  await changed();
  return counts.made > 0;
}

async function undo(id, words, changed) {
  const answer = await api("POST", `/api/v1/white-space/actions/${id}/undo`);
  if (!answer.ok) { toast(said(answer, words.failed)); return; }
  const { taken_back: back, kept } = answer.body;
  toast([words.undone.replace("{n}", back), kept ? counted(words, "kept", kept) : ""].filter(Boolean).join(" "));
  await changed();
}
