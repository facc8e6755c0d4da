// What is drawn anew while somebody is in it keeps their place: the keyboard's focus, how far it is scrolled, what is unfolded.

const STEPS = ":is(a[href], button, input, select, textarea, summary, [tabindex]):not([disabled], [type=hidden])";
const TYPED = "input, select, textarea";

/** What an element is called before and after: its id or `data-key`, else where it leads, what it is called or says. */
function called(one) {
  const own = one.id || one.dataset.key;
  return [one.tagName, own || [one.getAttribute("href"), one.getAttribute("name"), one.getAttribute("value"), one.getAttribute("aria-label")].find(Boolean) || one.textContent.trim()].join(" ");
}

/** Elements of a place by what they are called, in their order; several of one name are counted. */
function named(root, selector) {
  const seen = new Map();
  return new Map([...root.querySelectorAll(selector)].map((one) => {
    const name = called(one), nth = (seen.get(name) ?? 0) + 1;
    seen.set(name, nth);
    return [`${name} ${nth}`, one];
  }));
}

/** Remember somebody's place in an element. What is returned puts them back after the element was filled anew. */
function place(root) {
  const held = root.contains(document.activeElement) && document.activeElement !== root ? document.activeElement : null;
  const steps = [...named(root, STEPS)], at = steps.findIndex(([, one]) => one === held);
  const unfolded = [...named(root, "details > summary")].filter(([, one]) => one.parentElement.open).map(([name]) => name);
  const before = held?.getBoundingClientRect().top, top = root.scrollTop;
  return () => {
    const summaries = named(root, "details > summary");
    for (const name of unfolded) if (summaries.has(name)) summaries.get(name).parentElement.open = true;
    root.scrollTop = top;
    if (!held || held.isConnected || document.activeElement !== document.body) return;
    // Where it is not there any more: what came after it, else what stood before it; nothing in which one types by chance.
    const now = named(root, STEPS), [mine, ...others] = at < 0 ? [] : [steps[at], ...steps.slice(at + 1), ...steps.slice(0, at).reverse()];
    const same = mine && now.get(mine[0]), found = same ?? others.map(([name]) => now.get(name)).find((one) => one && !one.matches(TYPED)) ?? root;
    if (found === root && root.tabIndex < 0) root.tabIndex = -1;
    found.focus({ preventScroll: true });
    if (same) root.scrollTop += found.getBoundingClientRect().top - before;
    else found.scrollIntoView({ block: "nearest" });
  };
}

/** Fill an element with other HTML and leave whoever is in it where they are. */
export function refill(root, text) {
  const back = place(root);
  root.innerHTML = text;
  window.htmx?.process(root);
  back();
}

// The same for what HTMX swaps, at once after it did: it asks for some places by itself every few seconds. What was sent and
// comes back with something to decide or to mend is looked at from there: the button was pressed far below.
const TOLD = ".note:is(.warn, .bad)[role=alert], .field.invalid";
document.addEventListener("htmx:beforeSwap", ({ detail: { target, shouldSwap, requestConfig } }) => {
  if (!shouldSwap) return;
  const isHeld = target.contains(document.activeElement), within = isHeld && place(target), around = isHeld && place(target.parentElement ?? target);
  queueMicrotask(() => {
    const told = requestConfig?.verb === "post" && target.isConnected ? target.querySelector(TOLD) : null;
    if (isHeld && !told) (target.isConnected ? within : around)();
    if (!told) return;
    const first = [...(told.closest("form") ?? target).querySelectorAll(STEPS)].find((one) => told.contains(one) || told.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING);
    first?.focus({ preventScroll: true });
    told.scrollIntoView({ block: "center" });
  });
});
