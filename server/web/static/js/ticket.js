// One ticket: r answers, i notes; canned answers go where the cursor stands; a form is sent once.

const form = document.querySelector("#compose");
const body = document.querySelector("#body");

function setKind(kind) {
  const radio = form?.querySelector(`input[name="kind"][value="${kind}"]`);
  if (!radio || radio.disabled) return;
  radio.checked = true;
  showKind();
  body.focus();
  body.scrollIntoView({ block: "center" });
}

function showKind() {
  const isInternal = form.querySelector('input[name="kind"]:checked')?.value === "internal";
  form.classList.toggle("is-internal", isInternal);
  body.placeholder = isInternal ? form.dataset.internal : form.dataset.outgoing;
  const button = document.querySelector("#send");
  button.querySelector("span").textContent = isInternal ? button.dataset.note : button.dataset.answer;
}

if (form) {
  showKind();
  form.addEventListener("change", showKind);
  form.addEventListener("submit", () => { document.querySelector("#send").setAttribute("aria-busy", "true"); });
  form.addEventListener("click", (event) => {
    const canned = event.target.closest("[data-canned]");
    if (!canned) return;
    body.setRangeText(canned.dataset.canned, body.selectionStart, body.selectionEnd, "end");
    if (canned.dataset.state) form.elements.state_after.value = canned.dataset.state;
    form.elements.tags.value = canned.dataset.tags;
    document.querySelector("#canned").open = false;
    body.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.closest?.("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "r") { event.preventDefault(); setKind("outgoing"); }
    if (event.key === "i") { event.preventDefault(); setKind("internal"); }
  });
}
