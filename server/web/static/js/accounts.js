// The list's columns, as the view says or this browser wants them; from the start fewer on a narrow screen.

import { viewsControl } from "./views.js";

const KEY = "accounts.hidden";
const narrow = matchMedia("(max-width: 899px)").matches;
const stored = localStorage.getItem(KEY);
const shown = document.querySelector("#accounts")?.dataset.shown.split(" ").filter(Boolean) ?? [];
const all = [...document.querySelectorAll("#columns input")].map((box) => box.value);
const hidden = new Set(shown.length ? all.filter((key) => !shown.includes(key)) : stored ? JSON.parse(stored) : narrow ? ["number", "status", "city", "street", "owner", "territory", "last_visit", "value", "potential", "pin"] : ["street", "potential"]);
const sheet = new CSSStyleSheet();
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];

function apply() {
  sheet.replaceSync([...hidden].map((key) => `.col-${CSS.escape(key)} { display: none; }`).join("\n"));
}

for (const box of document.querySelectorAll("#columns input")) {
  box.checked = !hidden.has(box.value);
  box.addEventListener("change", () => {
    if (box.checked) hidden.delete(box.value); else hidden.add(box.value);
    if (!shown.length) localStorage.setItem(KEY, JSON.stringify([...hidden]));
    apply();
  });
}
apply();
const views = document.querySelector("#views");
viewsControl(views, () => ({ filter: views.dataset.filter || null, sort: views.dataset.sort || null, columns: all.filter((key) => !hidden.has(key)) }));
