// A session that ends while somebody works loses nothing. What asks the server by itself waits until the person has signed in
// on the page that is open; a form that was sent to its end comes back with what was typed.

import { toast } from "./app.js";
import { refill } from "./forms.js";

const sheet = document.querySelector("#ended");
const form = sheet.querySelector("form");
const ask = window.fetch.bind(window);
const UNSAID = sheet.dataset.unsaid.split(" ");
const KEPT = "sent";
let waiting = null;

/** Whether an answer refuses the session, or the token of another one that the page holds. */
async function isTurnedAway(answer) {
  if (answer.status === 401 || answer.headers.get("HX-Trigger") === "signed-out") return true;
  if (answer.redirected && new URL(answer.url).pathname === "/sign-in") return true;
  return answer.status === 403 && (await answer.clone().json().catch(() => null))?.code === "csrf";
}

/** Take the session that the browser has by now, perhaps from another tab; whether there is one of this person. */
async function takesOver() {
  const answer = await ask("/sign-in/session", { headers: { Accept: "application/json" } }).catch(() => null);
  return Boolean(answer?.ok) && taken(await answer.json());
}

/** Let the person sign in here, unless that was done elsewhere; comes back with whether it was. */
async function signedIn() {
  if (waiting) return waiting;
  if (await takesOver()) return true;
  waiting ??= new Promise((settle) => {
    sheet.returnValue = "";
    sheet.showModal();
    sheet.addEventListener("close", () => { waiting = null; form.reset(); settle(sheet.returnValue === "done"); }, { once: true });
  });
  return waiting;
}
// What lies below the sheet is not put away by the Escape that is meant for it.
addEventListener("keydown", (event) => { if (event.key === "Escape" && sheet.open) { event.stopImmediatePropagation(); sheet.close(); } }, true);
addEventListener("focus", async () => { if (waiting && await takesOver()) sheet.close("done"); });

/** Let the page's forms carry a session's token; that of somebody else draws the page anew. */
function taken({ user, csrf }) {
  if (user !== sheet.dataset.user) { location.reload(); return false; }
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRF-Token": csrf }));
  for (const field of document.querySelectorAll("input[name=_csrf]")) field.value = csrf;
  return true;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button"), note = form.querySelector("[role=alert]");
  button.disabled = true;
  const answer = await ask(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json", "Accept-Language": document.documentElement.lang } }).catch(() => null);
  const body = await answer?.json().catch(() => null);
  button.disabled = false;
  note.hidden = Boolean(answer?.ok);
  if (!answer?.ok) { note.textContent = body ? [body.detail, body.help].filter(Boolean).join(" ") : sheet.dataset.silent; return; }
  if (taken(body)) sheet.close("done");
});

window.fetch = async (what, init = {}) => {
  const answer = await ask(what, init);
  if (!(await isTurnedAway(answer)) || !(await signedIn())) return answer;
  const headers = { ...init.headers };
  if ("X-CSRF-Token" in headers) headers["X-CSRF-Token"] = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRF-Token"];
  return ask(what, { ...init, headers });
};
document.addEventListener("signed-out", async () => { if (await signedIn()) toast(sheet.dataset.again); });

// A form that leaves the page: what it said is kept by this tab until the next page is here.
document.addEventListener("submit", (event) => {
  const sent = event.target;
  if (event.defaultPrevented || sent.method !== "post" || !sent.closest("main")) return;
  const said = [...new FormData(sent, event.submitter)].filter(([name]) => !UNSAID.includes(name));
  sessionStorage.setItem(KEPT, JSON.stringify({
    user: sheet.dataset.user, page: location.pathname + location.search, path: new URL(event.submitter?.getAttribute("formaction") ?? sent.getAttribute("action") ?? "", location).pathname,
    said: said.filter(([, value]) => typeof value === "string"), files: said.some(([, value]) => value instanceof File && value.name),
  }));
});

const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
sessionStorage.removeItem(KEPT);
// What is refused is drawn at the form's address, which may be no page: the way back to it is that of the page it was on.
if (document.querySelector("script#refused") && kept?.user === sheet.dataset.user) history.replaceState(history.state, "", kept.page);
if (location.hash === "#again") {
  history.replaceState(history.state, "", location.pathname + location.search);
  const isHere = kept?.user === sheet.dataset.user && kept.page === location.pathname + location.search && refill(kept.path, kept.said);
  toast([isHere ? sheet.dataset.kept : sheet.dataset.lost, isHere && kept.files ? sheet.dataset.files : ""].join(" ").trim());
}
