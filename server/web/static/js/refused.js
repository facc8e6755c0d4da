// A refused form holds what was typed into it, and says beside its field what is wrong. The page shows what is stored;
// on a page with several forms only the browser knows which one was sent.

const { path, sent, field, text } = JSON.parse(document.querySelector("#refused").textContent);
const typed = Map.groupBy(sent, ([name]) => name);
const values = (name) => (typed.get(name) ?? []).map(([, value]) => value);
const controls = (form) => [...form.elements].filter((one) => one.name && one.name !== "_csrf");

/** How little a form is the one that was sent: what it says by itself and was not sent, and what was sent and it lacks. */
function strangeness(form) {
  const held = controls(form);
  const foreign = held.filter((one) => one.type === "hidden" && one.name !== "rev" && !values(one.name).includes(one.value));
  const lacking = [...typed.keys()].filter((name) => !held.some((one) => one.name === name));
  return foreign.length + lacking.length;
}

function fill(form) {
  for (const [name, held] of Map.groupBy(controls(form), (one) => one.name)) {
    const ticks = held.filter((one) => ["checkbox", "radio"].includes(one.type));
    for (const one of ticks) one.checked = values(name).includes(one.value);
    const texts = held.filter((one) => one.matches("select, textarea, input:not([type=hidden], [type=file], [type=password], [type=checkbox], [type=radio])"));
    if (texts.length === values(name).length) texts.forEach((one, at) => { if (!one.multiple) one.value = values(name)[at]; });
    for (const one of texts.filter((each) => each.multiple)) for (const choice of one.options) choice.selected = values(name).includes(choice.value);
  }
}

function mark(form) {
  for (const one of document.querySelectorAll(".field.invalid")) {
    if (form.contains(one)) continue;
    one.classList.remove("invalid");
    one.querySelector(".error")?.remove();
  }
  const wrong = controls(form).find((one) => one.name === field && one.type !== "hidden");
  if (!wrong) return;
  wrong.setAttribute("aria-invalid", "true");
  if (!form.querySelector(".invalid .error")) {
    const note = Object.assign(document.createElement("p"), { className: "error", role: "alert", textContent: text.trim() });
    const box = wrong.closest(".field");
    box?.classList.add("invalid");
    if (box) box.append(note);
    else { note.classList.add("beside"); (wrong.closest(".row, label") ?? wrong).after(note); }
  }
  wrong.focus({ preventScroll: true });
  wrong.scrollIntoView({ block: "center" });
}

const [form] = [...document.querySelectorAll("main form[method=post]")]
  .filter((one) => new URL(one.getAttribute("action") ?? "", location).pathname === path)
  .sort((one, other) => strangeness(one) - strangeness(other));
if (form) {
  for (let box = form.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  form.closest("dialog")?.showModal();
  fill(form);
  mark(form);
}
