// Saved views of the accounts' list or of the map: kept, replaced and taken away where one is, each with a way back.

import { api, fragment, said, toast } from "./app.js";

/** The views in a box; `shown` gives what a new one holds: filter, and map or sort and columns. */
export function viewsControl(box, shown) {
  if (!box) return;
  const rows = box.querySelector("[data-rows]"), form = box.querySelector("form"), words = box.dataset;
  const asked = `subject=account&of_map=${words.ofMap}`;
  const draw = () => fragment(rows, `/segments/views?${asked}`);
  const tell = (text, name, run = null) => toast(text.replace("{name}", name), run && { label: words.undo, run });
  async function put(view, rev) { // a view that is replaced is the one that was shown: see its revision
    const answer = await api("PUT", "/api/v1/views", view, rev ? { "If-Match": `"${rev}"` } : {});
    if (!answer.ok) toast(said(answer));
    await draw();
    return answer.ok && answer.body;
  }
  box.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-unsave]");
    if (!button || button.disabled) return;
    button.disabled = true;
    const { unsave, name } = button.dataset, answer = await api("DELETE", `/api/v1/views/${unsave}`);
    await draw();
    if (!answer.ok) { toast(said(answer)); return; }
    tell(words.gone, name, async () => {
      const back = await api("POST", `/api/v1/views/${unsave}/restore`);
      if (!back.ok) toast(said(back));
      draw();
    });
  });
  if (!form) return;
  const button = form.querySelector("button");
  const typed = () => form.elements.name.value.trim().replace(/\s+/g, " ");
  const mine = () => rows.querySelector(`[data-mine="${CSS.escape(typed())}"]`);
  let chosen = form.elements.sharing.value; // by hand; one that stands for a name is another view's
  form.elements.sharing.addEventListener("change", () => { chosen = form.elements.sharing.value; });
  function label() {
    const old = mine();
    button.textContent = old ? form.dataset.replace : form.dataset.save;
    form.elements.sharing.value = old ? old.dataset.sharing : chosen;
  }
  form.elements.name.addEventListener("input", label);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = typed(), isTold = Boolean(mine());
    if (!isTold) await draw(); // another tab may have kept one of that name
    if (!isTold && mine()) { label(); tell(words.there, name); return; }
    const rev = mine()?.dataset.rev, before = isTold && (await former(name));
    const now = await put({ subject: "account", name, sharing: form.elements.sharing.value, ...shown() }, rev);
    if (!now) { label(); return; }
    form.reset();
    chosen = form.elements.sharing.value;
    label();
    if (before) tell(words.replaced, name, () => put(before, now.rev)); else tell(words.kept, name);
  });
  async function former(name) {
    const { body } = await api("GET", `/api/v1/views?${asked}`);
    const wanted = rows.querySelector(`[data-mine="${CSS.escape(name)}"] [data-unsave]`)?.dataset.unsave;
    const { id, owner_id, rev, ...view } = body?.items.find((one) => one.id === wanted) ?? {};
    return id && view;
  }
}
