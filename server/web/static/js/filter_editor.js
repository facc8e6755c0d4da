// The filter editor: chips for people, text for those who write. The server reads and writes the language; here only
// conditions are put together. Tells the page with a `filterchange` event; inside a form it sends the form.

import { api } from "./app.js";
import { conditionDialog } from "./filter_condition.js";

/** The text of a tree as the server gave it; it writes the canonical form itself. */
export function textOf(node) {
  if (node.all) return node.all.map((one) => (one.any ? `(${textOf(one)})` : textOf(one))).join(" and ");
  if (node.any) return node.any.map((one) => (one.all || one.any ? `(${textOf(one)})` : textOf(one))).join(" or ");
  if (node.not) return `not (${textOf(node.not)})`;
  return node.text;
}

const vocabularies = new Map();
function vocabulary(subject) {
  if (!vocabularies.has(subject)) vocabularies.set(subject, fetch(`/segments/words/${subject}`).then((answer) => answer.json()));
  return vocabularies.get(subject);
}

class Editor {
  constructor(root) {
    this.root = root;
    this.subject = root.dataset.subject;
    this.words = JSON.parse(root.dataset.words);
    this.chips = root.querySelector("[data-chips]");
    this.box = root.querySelector("[data-text]");
    this.input = this.box.querySelector("textarea");
    this.fault = root.querySelector("[data-error]");
    this.items = [];
    root.querySelector("[data-add]").addEventListener("click", () => this.edit(null, (made) => this.set([...this.items, made])));
    root.querySelector("[data-as-text]").addEventListener("click", (event) => {
      this.box.hidden = !this.box.hidden;
      event.currentTarget.setAttribute("aria-pressed", String(!this.box.hidden));
      if (!this.box.hidden) this.input.focus();
    });
    this.input.addEventListener("input", () => { clearTimeout(this.wait); this.wait = setTimeout(() => this.read(this.input.value), 250); });
    this.input.addEventListener("keydown", async (event) => {
      if (event.key === "Escape") { event.stopPropagation(); this.back(); }
      if (event.key !== "Enter") return;
      event.preventDefault();
      clearTimeout(this.wait);
      if (await this.read(this.input.value)) this.tell();
    });
    this.put(this.input.value);
  }

  /** Show the text that is applied. */
  put(text) {
    this.applied = this.input.value = text;
    return this.read(text);
  }

  /** What was typed and not applied is left, with the focus on what opens the text. */
  back() {
    clearTimeout(this.wait);
    this.put(this.applied);
    this.box.hidden = true;
    const opens = this.root.querySelector("[data-as-text]");
    opens.setAttribute("aria-pressed", "false");
    opens.focus();
  }

  /** Read a text; shows the chips, or where it is wrong. */
  async read(text) {
    const { ok, body } = await api("POST", "/segments/words", { subject: this.subject, text });
    if (!ok) return false;
    this.root.dataset.state = body.error ? "wrong" : "good";
    this.fault.hidden = !body.error;
    if (body.error) {
      if (!this.items.length) this.chips.replaceChildren(); // those of the server, which had not read the filter
      this.fault.replaceChildren(`${body.error.replace(/\.$/, "")}. ${body.help ?? ""} `);
      if (body.position !== null && body.position < text.length) {
        const mark = document.createElement("mark");
        mark.textContent = text.slice(body.position, body.position + 24);
        this.fault.append(mark);
      }
      if (text.trim()) this.show();
      return false;
    }
    this.items = body.tree ? (body.tree.all ?? [body.tree]) : [];
    await this.draw();
    return true;
  }

  show() { this.box.hidden = false; this.root.querySelector("[data-as-text]").setAttribute("aria-pressed", "true"); }

  set(items) {
    this.items = items;
    this.input.value = items.length ? textOf({ all: items }) : "";
    this.read(this.input.value).then((good) => { if (good) this.tell(); });
  }

  tell() {
    this.applied = this.input.value;
    this.root.dispatchEvent(new CustomEvent("filterchange", { bubbles: true, detail: this.input.value.trim() }));
    const form = this.root.closest("form");
    if (form?.hasAttribute("data-apply")) form.requestSubmit();
  }

  async edit(item, done) {
    const made = await conditionDialog(await vocabulary(this.subject), this.words, this.subject, item);
    if (made) done(made);
  }

  async draw() {
    const words = this.items.length ? await vocabulary(this.subject) : null;
    const label = (node) => this.label(node, words);
    this.chips.replaceChildren(...this.items.map((item, at) => {
      const others = () => this.items.filter((_, index) => index !== at);
      const replace = (made) => this.set(this.items.map((one, index) => (index === at ? made : one)));
      if (!item.any) return this.chip(label(item), () => this.edit(item, replace), () => this.set(others()), (made) => replace({ any: [item, made] }));
      const group = document.createElement("span");
      group.className = "cond-any";
      item.any.forEach((one, index) => {
        if (index) group.append(this.words.or);
        const rest = item.any.filter((_, other) => other !== index);
        group.append(this.chip(label(one), () => this.edit(one, (made) => replace({ any: item.any.map((old, other) => (other === index ? made : old)) })),
          () => replace(rest.length > 1 ? { any: rest } : rest[0]), index === item.any.length - 1 ? (made) => replace({ any: [...item.any, made] }) : null));
      });
      return group;
    }));
  }

  chip(text, edit, remove, alternative) {
    const chip = document.createElement("span");
    chip.className = "chip cond";
    const button = (label, name, run) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = label;
      if (name) { made.setAttribute("aria-label", name); made.title = name; }
      made.addEventListener("click", run);
      return made;
    };
    chip.append(button(text, "", edit));
    if (alternative) chip.append(button(this.words.or, `${this.words.alternative} ${text}`, () => this.edit(null, alternative)));
    chip.append(button("✕", `${this.words.remove}: ${text}`, remove));
    return chip;
  }

  /** What a chip says: the field's label and the comparison in words. */
  label(node, words) {
    if (node.not) return `${this.words.not} ${this.label(node.not, words)}`;
    if (node.text?.startsWith("in polygon (")) return this.words.outline;
    if (!node.field) return node.text ?? textOf(node);
    const known = words.fields.find((one) => one.name === node.field);
    const name = known ? (known.group ? `${known.group}: ${known.label}` : known.label) : node.field;
    const values = node.values.map((one) => words.choices[one] ?? one.replace(/^"|"$/g, ""));
    const between = node.operator.endsWith("between") ? ` ${this.words.and} ` : ", ";
    return `${name} ${this.words[node.operator] ?? node.operator} ${values.join(between)}`.trim();
  }
}

for (const root of document.querySelectorAll("[data-filter-editor]")) root.editor = new Editor(root);
document.querySelector("dialog[data-show]")?.showModal();
