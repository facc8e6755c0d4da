// The upload begins as soon as a file is chosen or dropped, and says how far it is.

const form = document.querySelector(".dropzone");
const input = form.querySelector("input[type=file]");
const word = form.querySelector("[data-file]");

function send() {
  const [file] = input.files;
  if (!file) return;
  word.textContent = `${file.name} …`;
  form.setAttribute("aria-busy", "true");
  form.requestSubmit();
}
function free() { form.removeAttribute("aria-busy"); }
input.addEventListener("change", send);
form.addEventListener("htmx:xhr:progress", (event) => {
  const { loaded, total } = event.detail;
  if (total && form.hasAttribute("aria-busy")) word.textContent = `${input.files[0]?.name ?? ""} … ${Math.round((100 * loaded) / total)} %`;
});
form.addEventListener("htmx:afterRequest", free);
for (const name of ["dragenter", "dragover"]) form.addEventListener(name, (event) => { event.preventDefault(); form.classList.add("over"); });
for (const name of ["dragleave", "drop"]) form.addEventListener(name, (event) => { event.preventDefault(); form.classList.remove("over"); });
form.addEventListener("drop", (event) => { if (event.dataTransfer.files.length) { input.files = event.dataTransfer.files; send(); } });
