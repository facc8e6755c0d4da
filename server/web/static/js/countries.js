// Countries by the name that the page's language has for them; a code without a name stays a code.

const names = new Intl.DisplayNames([document.documentElement.lang], { type: "region" });
for (const one of document.querySelectorAll("[data-country]")) {
  one.textContent = [names.of(one.dataset.country), one.dataset.part].filter(Boolean).join(" · ");
}
for (const select of document.querySelectorAll("select:has(option[data-country])")) {
  const order = new Intl.Collator(document.documentElement.lang).compare;
  select.append(...[...select.querySelectorAll("option[data-country]")].sort((a, b) => order(a.textContent, b.textContent)));
}
