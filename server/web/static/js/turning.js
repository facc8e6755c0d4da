// Hexagons or prospects become leads, tasks or wanted visits with one click; the note that says so takes them back.

import { api, said, toast } from "./app.js";

/** Do it: `body` is {into, cells, prospect_ids, ...}; `words` the page's texts. Resolves to whether something was made. */
export async function turn(body, words, changed) {
  const answer = await api("POST", "/api/v1/white-space/actions", body);
  if (!answer.ok) { toast(said(answer, words.failed)); return false; }
  const { counts, id } = answer.body;
  const left = Object.entries(counts).filter(([name, count]) => name !== "made" && count).map(([name, count]) => words[`left_${name}`].replace("{n}", count));
  const text = [words[`made_${body.into}`].replace("{n}", counts.made), ...left].join(" ");
  toast(text, counts.made ? { label: words.undo, run: () => undo(id, words, changed) } : null);
  changed();
  return counts.made > 0;
}

async function undo(id, words, changed) {
  const answer = await api("POST", `/api/v1/white-space/actions/${id}/undo`);
  if (!answer.ok) { toast(said(answer, words.failed)); return; }
  const { taken_back: back, kept } = answer.body;
  toast([words.undone.replace("{n}", back), kept ? words.kept.replace("{n}", kept) : ""].filter(Boolean).join(" "));
  changed();
}
