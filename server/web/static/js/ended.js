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

const turnedAway = (answer) => answer.status === 401 || (answer.redirected && new URL(answer.url).pathname === "/sign-in");

/** Let the person sign in here; comes back with whether that was done. */
function signedIn() {
  waiting ??= new Promise((settle) => {
    sheet.showModal();
    sheet.addEventListener("close", () => { waiting = null; settle(sheet.returnValue === "done"); }, { once: true });
  });
  return waiting;
}

function take(token) {
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRF-Token": token }));
  for (const field of document.querySelectorAll("input[name=_csrf]")) field.value = token;
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
  if (body.user !== sheet.dataset.user) { location.reload(); return; }
  take(body.csrf);
  form.reset();
  sheet.returnValue = "";
  sheet.close("done");
});

window.fetch = async (what, init = {}) => {
  const answer = await ask(what, init);
  if (!turnedAway(answer) || !(await signedIn())) return answer;
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
if (location.hash === "#again") {
  history.replaceState(history.state, "", location.pathname + location.search);
  const isHere = kept?.user === sheet.dataset.user && kept.page === location.pathname + location.search && refill(kept.path, kept.said);
  toast([isHere ? sheet.dataset.kept : sheet.dataset.lost, isHere && kept.files ? sheet.dataset.files : ""].join(" ").trim());
}
