// Which form of a page was sent, and putting back into it what was typed. A page may have several for the same address;
// only the browser knows which one it was.

const grouped = (sent) => {
  const typed = Map.groupBy(sent, ([name]) => name);
  return { names: [...typed.keys()], values: (name) => (typed.get(name) ?? []).map(([, value]) => value) };
};

/** The fields of a form that are sent. */
export const controls = (form) => [...form.elements].filter((one) => one.name && one.name !== "_csrf");

/** How little a form is the one that was sent: what it says by itself and was not sent, and what was sent and it lacks. */
function strangeness(form, { names, values }) {
  const held = controls(form);
  const foreign = held.filter((one) => one.type === "hidden" && one.name !== "rev" && !values(one.name).includes(one.value));
  const lacking = names.filter((name) => !held.some((one) => one.name === name));
  return foreign.length + lacking.length;
}

function fill(form, { values }) {
  for (const [name, held] of Map.groupBy(controls(form), (one) => one.name)) {
    const ticks = held.filter((one) => ["checkbox", "radio"].includes(one.type));
    for (const one of ticks) one.checked = values(name).includes(one.value);
    const texts = held.filter((one) => one.matches("select, textarea, input:not([type=hidden], [type=file], [type=password], [type=checkbox], [type=radio])"));
    const hidden = held.filter((one) => one.type === "hidden" && one.name !== "rev");
    if (hidden.length === held.length && hidden.length === values(name).length) hidden.forEach((one, at) => { one.value = values(name)[at]; });
    if (texts.length === values(name).length) texts.forEach((one, at) => { if (!one.multiple) one.value = values(name)[at]; });
    for (const one of texts.filter((each) => each.multiple)) for (const choice of one.options) choice.selected = values(name).includes(choice.value);
  }
}

/** Fill the form that was sent to a path with what was sent, `[[name, value], …]`, and show it; gives the form, if it is here. */
export function refill(path, sent) {
  const typed = grouped(sent);
  const [form] = [...document.querySelectorAll("main form[method=post]")]
    .filter((one) => new URL(one.getAttribute("action") ?? "", location).pathname === path)
    .sort((one, other) => strangeness(one, typed) - strangeness(other, typed));
  if (!form) return null;
  for (let box = form.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  form.closest("dialog")?.showModal();
  fill(form, typed);
  return form;
}
