// A balance: how far it is, then its scenarios on one map; a click gives a small area to another territory.

import { api, fragment, toast } from "./app.js";
import { css } from "./basemap.js";
import { boxOf, createMap } from "./map.js";

const page = document.querySelector("[data-run]"), run = page.dataset.run;
const { colours, names, ids, keys, first, words } = JSON.parse(document.querySelector("#balance-facts").textContent);
const number = (value) => Number(value).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 0 });

const legend = document.querySelector("#balance-map .legend");
if (legend && innerWidth < 900) legend.open = false; // it would lie over the ground that is shared

/** Ask every two seconds how far it is; when it is over the page shows what came out. */
async function watch() {
  const { ok, body } = await api("GET", `/api/v1/balance-runs/${run}`);
  if (ok && !["waiting", "running"].includes(body.state)) { location.reload(); return; }
  if (ok && body.stage !== page.querySelector("[data-stage]").dataset.stage) location.reload(); // in the words of the page
  else if (ok) page.querySelector("progress").value = body.progress;
  setTimeout(watch, 2000);
}

/** The small areas in the colours of their territories; those that change hands have an edge. */
function areasLayer(data, seen) {
  const colour = (key) => ["match", ["get", key], ...colours.flatMap((one, k) => [k, one]), "#888888"];
  return {
    name: "areas",
    parts: () => ({
      sources: { areas: { type: "geojson", data } },
      under: [
        { id: "area-fill", type: "fill", source: "areas", paint: { "fill-color": colour(seen.key), "fill-opacity": .45 } },
        { id: "area-edge", type: "line", source: "areas", paint: { "line-color": css("--map-halo"), "line-width": .4 } },
        { id: "area-moved", type: "line", source: "areas", filter: ["!=", ["get", "now"], ["get", seen.key]], paint: { "line-color": css("--blaze"), "line-width": ["interpolate", ["linear"], ["zoom"], 8, .5, 12, 1.6] } },
      ],
    }),
  };
}

async function draw() {
  const element = document.querySelector("#balance-map");
  const data = await fetch(`/api/v1/balance-runs/${run}/areas`).then((answer) => answer.json());
  const asked = new URLSearchParams(location.search).get("show"), seen = { key: [asked, first].find((one) => keys.includes(one)) ?? keys[0] ?? "now" };
  const known = await createMap(element, { box: data.features.length ? boxOf(data) : null, layers: [areasLayer(data, seen)] });
  const show = (key) => {
    seen.key = key;
    known.refresh();
    for (const card of document.querySelectorAll("[data-scenario]")) card.setAttribute("aria-current", String(card.dataset.scenario === key));
    element.dataset.shown = key;
  };
  show(seen.key);
  document.addEventListener("click", ({ target }) => { // also the map of what one is about to apply
    const button = target.closest?.("[data-show], [data-moves]");
    if (button) show(button.closest("[data-scenario]").dataset.scenario);
  });
  known.map.on("click", "area-fill", ({ lngLat, features: [area] }) => {
    if (seen.key === "now") return;
    const card = document.createElement("div"), { accounts, hours } = area.properties, own = area.properties[seen.key];
    card.className = "area-card";
    const title = document.createElement("strong"), facts = document.createElement("span"), row = document.createElement("div");
    title.textContent = names[own];
    facts.textContent = `${accounts === 1 ? words.accounts_one : words.accounts.replace("{n}", number(accounts))}, ${words.hours.replace("{n}", number(hours))} · ${words.now}: ${names[area.properties.now]}`;
    row.className = "row";
    names.forEach((name, k) => {
      if (k === own) return;
      const button = document.createElement("button");
      button.className = "button small";
      button.textContent = `${words.give} ${name}`;
      button.addEventListener("click", () => give(seen.key, area.properties.number, ids[k]));
      row.append(button);
    });
    card.append(title, facts, row);
    new maplibregl.Popup({ maxWidth: "280px" }).setLngLat(lngLat).setDOMContent(card).addTo(known.map);
  });
}

async function give(key, area, to) {
  const { ok, body } = await api("POST", `/api/v1/balance-runs/${run}/scenarios/${key}/give`, { areas: [area], to_id: to });
  if (!ok) { toast([body?.detail, body?.help].filter(Boolean).join(" ") || words.failed); return; }
  location.assign(`${location.pathname}?show=hand`);
}

/** What a scenario moves, the day from which it holds, and the button that applies it. */
document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.("[data-moves]");
  if (!button) return;
  const form = button.parentElement.querySelector("[data-apply-form]");
  await fragment(form.querySelector("[data-moved]"), button.dataset.moves);
  const refused = Boolean(form.querySelector("[data-moved] .note.bad"));
  for (const one of form.querySelectorAll(".field, [data-apply]")) one.hidden = refused; // nothing is offered that is refused
  form.hidden = false;
  button.hidden = true;
});
document.addEventListener("input", ({ target }) => {
  if (target.name !== "apply_on") return;
  const button = target.form.querySelector("[data-apply]");
  button.textContent = target.value > target.min ? button.dataset.later : button.dataset.now;
});

document.addEventListener("click", async (event) => {
  const undo = event.target.closest?.("[data-undo]");
  if (!undo) return;
  const { ok, body } = await api("POST", `/api/v1/territory-changes/${undo.dataset.undo}/undo`);
  if (ok) location.reload();
  else toast([body?.detail, body?.help].filter(Boolean).join(" ") || words.failed);
});

if (["waiting", "running"].includes(page.dataset.state)) watch();
else if (keys.length) draw();
