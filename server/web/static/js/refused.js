// A refused form holds what was typed into it, and says beside its field what is wrong. The page shows what is stored.

import { controls, refill } from "./forms.js";

const { path, sent, field, text } = JSON.parse(document.querySelector("#refused").textContent);

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

const form = refill(path, sent);
if (form) mark(form);
