// A mail: a template takes the place of what stands there, and the note that says so brings it back.

import { toast } from "./app.js";

const form = document.querySelector("#letter"), { subject, body } = form.elements;
const marks = () => [...document.querySelectorAll("[data-template]")];

document.addEventListener("click", async (event) => {
  const chip = event.target.closest?.("[data-template]");
  if (!chip || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const answer = await fetch(chip.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) { location.assign(chip.href); return; }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#letter");
  const before = [subject.value, body.value, marks().map((one) => one.ariaPressed)], change = form.querySelector("[data-change]");
  const put = ([title, text, pressed], link) => {
    [subject.value, body.value] = [title, text];
    marks().forEach((one, at) => { one.ariaPressed = pressed[at]; });
    form.querySelector("[data-change]").replaceChildren(...link);
  };
  const links = [...change.childNodes], typed = subject.value !== subject.defaultValue || body.value !== body.defaultValue;
  put([fresh.elements.subject.value || subject.value, fresh.elements.body.value, marks().map((one) => String(one === chip))], [...fresh.querySelector("[data-change]").childNodes]);
  [subject.defaultValue, body.defaultValue] = [subject.value, body.value];
  if (typed) toast(form.dataset.replaced, { label: form.dataset.undo, run: () => { put(before, links); [subject.defaultValue, body.defaultValue] = ["", ""]; } });
});
