// The dialog of one condition: field, comparison, value. Answers the condition as {text}, or null.

import { api } from "./app.js";

const EXAMPLES = ["today", "today - 30 days", "this month", "last month", "this quarter", "last quarter", "this year", "last 12 months", "next 7 days", "start of year"];

const make = (tag, properties = {}, ...inside) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...inside);
  return made;
};
const quoted = (text) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
const bare = (text) => (/^".*"$/.test(text) ? text.slice(1, -1).replace(/\\(.)/g, "$1") : text);
const labelled = (text, control) => make("label", { className: "field" }, make("span", { className: "label", textContent: text }), control);

function fieldSelect(vocabulary, words, chosen) {
  const select = make("select", { name: "field" });
  const groups = new Map();
  const add = (group, value, label) => {
    if (!groups.has(group)) groups.set(group, make("optgroup", { label: group }));
    groups.get(group).append(make("option", { value, textContent: label, selected: value === chosen }));
  };
  for (const one of vocabulary.fields) add(one.group || words.own, one.name, one.label);
  for (const one of vocabulary.aggregates) add(words.totals, one.name, one.name.includes(".count") ? `${one.group}` : `${one.group}: ${one.label} Σ`);
  if (vocabulary.has_places) for (const one of ["near", "reach", "territory"]) add(words.places, `@${one}`, words[one]);
  if (vocabulary.segments.length) add(words.places, "@segment", words.segment);
  select.append(...groups.values());
  return select;
}

/** The controls of a value and a function that gives its text. */
function valueOf(known, operator, values, vocabulary, words, subject) {
  if (operator.endsWith("empty")) return { part: make("span"), text: () => "" };
  if (known.kind === "flag" || (known.kind === "choice" && !operator.endsWith("in"))) {
    const options = known.kind === "flag" ? [["yes", words.yes], ["no", words.no]] : known.choices.map((one) => [one, vocabulary.choices[one] ?? one]);
    const select = make("select", {}, ...options.map(([value, textContent]) => make("option", { value, textContent, selected: values.map(bare).includes(value) })));
    return { part: labelled(words.value, select), text: () => (known.kind === "flag" ? select.value : quoted(select.value)) };
  }
  if (known.kind === "choice") {
    const boxes = known.choices.map((value) => make("input", { type: "checkbox", value, checked: values.map(bare).includes(value) }));
    const part = make("div", { className: "checks" }, ...boxes.map((box) => make("label", { className: "check" }, box, vocabulary.choices[box.value] ?? box.value)));
    return { part, text: () => `(${boxes.filter((box) => box.checked).map((box) => quoted(box.value)).join(", ")})`, empty: () => !boxes.some((box) => box.checked) };
  }
  const list = make("datalist", { id: "condition-values" });
  if (known.kind === "date") list.append(...EXAMPLES.map((value) => make("option", { value })));
  const input = (value) => {
    const made = make("input", { type: known.kind === "number" ? "number" : "text", step: "any", required: true, value: value === undefined ? "" : bare(value), autocomplete: "off" });
    if (known.kind !== "number") made.setAttribute("list", list.id);
    made.setAttribute("aria-label", words.value);
    if (known.suggests) made.addEventListener("input", async () => {
      const { ok, body } = await api("GET", `/api/v1/filters/${subject}/values?${new URLSearchParams({ field: known.name, q: made.value })}`);
      if (ok) list.replaceChildren(...body.map((value) => make("option", { value })));
    });
    return made;
  };
  const written = (made) => (known.kind === "text" ? quoted(made.value) : made.value.trim());
  const first = input(values[0]);
  if (!operator.endsWith("between")) return { part: make("div", {}, labelled(words.value, first), list), text: () => written(first) };
  const second = input(values[1]);
  return { part: make("div", { className: "pair" }, first, make("span", { textContent: words.and }), second, list), text: () => `${written(first)} and ${written(second)}` };
}

/** The controls of a place, a territory or a segment. */
function placeOf(kind, vocabulary, words, subject) {
  if (kind === "segment") {
    const select = make("select", {}, ...vocabulary.segments.map((value) => make("option", { value, textContent: value })));
    return { part: labelled(words.value, select), text: () => `in segment ${quoted(select.value)}` };
  }
  if (kind === "territory") {
    const made = valueOf({ kind: "text", name: "territory", suggests: true }, "=", [], vocabulary, words, subject);
    return { part: made.part, text: () => `in territory ${made.text()}` };
  }
  const unit = kind === "reach" ? "min" : "km";
  const amount = make("input", { type: "number", min: "0.1", step: "any", value: kind === "reach" ? 20 : 5, required: true, max: kind === "reach" ? 120 : 500 });
  const place = make("input", { required: true, placeholder: "Vaduz · account K-1 · 9.52, 47.14" });
  const where = () => (/^\s*(-?\d|account\s)/.test(place.value) ? place.value.trim() : quoted(place.value.trim()));
  return { part: make("div", { className: "stack" }, labelled(unit, amount), labelled(words.place, place)), text: () => `within ${amount.value} ${unit} of ${where()}` };
}

export function conditionDialog(vocabulary, words, subject, item) {
  const negated = Boolean(item?.not);
  const before = item?.not ?? item ?? {};
  const fields = fieldSelect(vocabulary, words, before.field);
  const operators = make("select", { name: "operator" });
  const slot = make("div", { className: "stack" });
  const over = make("select", {}, make("option", { value: "", textContent: words["any time"] }),
    ...[30, 90, 180].map((n) => make("option", { value: ` over ${n} days`, textContent: words["last days"].replace("{n}", n) })),
    ...[12, 24, 36].map((n) => make("option", { value: ` over ${n} months`, textContent: words["last months"].replace("{n}", n) })));
  const not = make("input", { type: "checkbox", checked: negated });
  let value = null;
  const chosen = () => vocabulary.fields.find((one) => one.name === fields.value) ?? vocabulary.aggregates.find((one) => one.name === fields.value);
  const operatorField = labelled(words.operator, operators);
  const drawValue = (values = []) => {
    const known = chosen();
    const isTotal = vocabulary.aggregates.includes(known);
    value = known ? valueOf(known, operators.value, values, vocabulary, words, subject) : placeOf(fields.value.slice(1), vocabulary, words, subject);
    slot.replaceChildren(value.part, ...(isTotal ? [labelled(words.over, over)] : []));
  };
  const drawField = (operator, values) => {
    const known = chosen();
    operatorField.hidden = !known;
    operators.replaceChildren(...(known?.operators ?? []).map((one) => make("option", { value: one, textContent: words[one] ?? one, selected: one === operator })));
    drawValue(values);
  };
  fields.addEventListener("change", () => drawField());
  operators.addEventListener("change", () => drawValue());
  drawField({ "~": "contains", "^": "starts with" }[before.operator] ?? before.operator, before.values);
  const cancel = make("button", { className: "button", type: "button", textContent: words.cancel });
  const form = make("form", { method: "dialog" }, make("h2", { textContent: words.condition }), labelled(words.field, fields), operatorField, slot,
    make("label", { className: "check" }, not, words.not), make("div", { className: "row" }, make("button", { className: "button primary", textContent: words.apply }), cancel));
  const dialog = make("dialog", { className: "sheet cond-editor" }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    let made = null;
    cancel.addEventListener("click", () => dialog.close());
    form.addEventListener("submit", (event) => {
      if (value.empty?.()) { event.preventDefault(); return; }
      const known = chosen();
      const time = vocabulary.aggregates.includes(known) ? over.value : "";
      const text = known ? `${known.name}${time} ${operators.value} ${value.text()}`.trim() : value.text();
      made = not.checked ? { not: { text } } : { text };
    });
    dialog.addEventListener("close", () => { dialog.remove(); resolve(made); });
  });
}
