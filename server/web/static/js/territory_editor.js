// Tools on the map: each makes an operation, asks the server what it would move, shows that, and saves it.

import { api, csrf, toast } from "./app.js";
import { css } from "./basemap.js";

const MOST_CORNERS = 1500;
let turn = 0;
const words = () => JSON.parse(document.querySelector("#words").textContent);
const number = (value, digits = 0) => Number(value).toLocaleString(document.documentElement.lang, { maximumFractionDigits: digits });

/** The polygons of a drawing as one geometry; null while there is none. */
function polygonsOf(features) {
  const parts = features.filter((one) => one.geometry.type === "Polygon").map((one) => one.geometry.coordinates);
  return parts.length ? { type: "MultiPolygon", coordinates: parts } : null;
}

const corners = (geometry) => geometry.coordinates.flat().reduce((sum, ring) => sum + ring.length - 1, 0);

/** The tools of the page; `show(parts)` draws how territories would look. */
export function editor(known, { troubles, outlines }, show) {
  const panel = document.querySelector("#edit-panel"), at = (what) => panel.querySelector(what), say = words();
  const name = at("#e-name"), parent = at("#e-parent"), colour = at("#e-colour"), yields = at("#e-yield"), first = at("#e-from"), last = at("#e-last"), why = at("#e-why"), save = at("[data-save]");
  let tool = null, operation = null, file = null, asked = 0, pen = null, timer = 0, holes = [];

  const counted = (text, n) => (n === 1 ? say[`${text}_one`] : say[text].replace("{n}", number(n)));
  const crew = () => [...panel.querySelectorAll("#e-people input")], WHO = ["people", "from", "open"], SINCE = ["from", "later"];
  /** The day to come on which it is applied; people's own days and files have none. */
  const applyOn = () => (operation?.kind !== "members" && (operation?.kind !== "kept" || tool === "waiting") && first.value > first.min ? first.value : null);
  const same = at("#e-same"), crews = at("[data-crews]"), checked = (box) => [...box.querySelectorAll("input:checked")].map((one) => one.value);
  /** Of a file with several new areas: who works each of them. */
  const crewOf = () => Object.fromEntries([...crews.children].map((box) => [box.dataset.area, checked(box)]));
  function each(parts) {
    const before = crewOf(), fresh = tool === "import" ? parts.filter((part) => part.is_new) : [];
    at('[data-for="each"]').hidden = fresh.length < 2;
    if (fresh.length < 2) same.checked = true;
    at('[data-for="people"]').hidden = !same.checked || (tool === "import" && !fresh.length);
    crews.hidden = same.checked;
    crews.replaceChildren(...fresh.map((part) => {
      const box = document.createElement("fieldset"), legend = document.createElement("legend"), chips = at("#e-people").cloneNode(true);
      chips.removeAttribute("id");
      for (const one of chips.querySelectorAll("input")) one.checked = (before[part.name] ?? part.members).includes(one.value);
      legend.textContent = part.name;
      legend.className = "small";
      box.dataset.area = part.name;
      box.append(legend, chips);
      return box;
    }));
  }
  const staffed = () => { const members = crew().filter((box) => box.checked).map((box) => box.value); return { members, valid_from: members.length && first.value ? first.value : null }; };
  const chosen = () => [...document.querySelectorAll("[data-choose]:checked")];
  const revs = () => Object.fromEntries([...document.querySelectorAll("[data-choose]")].map((one) => [one.dataset.choose, Number(one.dataset.rev)]));

  function newPen() {
    const { TerraDraw, TerraDrawPolygonMode, TerraDrawLineStringMode, TerraDrawSelectMode } = globalThis.terraDraw;
    const blaze = css("--blaze"), line = { polygonOutlineColor: blaze, polygonFillColor: blaze, fillColor: blaze, outlineColor: blaze, lineStringColor: blaze, lineStringWidth: 3, outlineWidth: 3, fillOpacity: .2 };
    const made = new TerraDraw({
      adapter: new globalThis.terraDrawMaplibreGlAdapter.TerraDrawMapLibreGLAdapter({ map: known.map }),
      modes: [
        new TerraDrawPolygonMode({ styles: line }), new TerraDrawLineStringMode({ styles: line }),
        new TerraDrawSelectMode({ flags: { polygon: { feature: { draggable: false, coordinates: { midpoints: true, draggable: true, deletable: true } } } },
          styles: { selectedPolygonColor: blaze, selectedPolygonOutlineColor: blaze, selectionPointColor: "#fff", selectionPointOutlineColor: blaze, midPointColor: blaze, midPointOutlineColor: "#fff", selectedPolygonFillOpacity: .15 } }),
      ],
    });
    made.start();
    made.on("finish", () => drawn());
    return made;
  }
  function putAway() {
    if (pen) { pen.stop(); pen = null; }
    for (const button of document.querySelectorAll("[data-tool]")) button.setAttribute("aria-pressed", "false");
    clearTimeout(timer);
    tool = operation = file = null;
    asked += 1;
    panel.hidden = true;
    delete panel.dataset.state;
    show([]);
  }
  function open(which, shown = []) {
    putAway();
    tool = which;
    [at("[data-title]").textContent, at("[data-hint]").textContent] = say[which];
    for (const field of panel.querySelectorAll("[data-for]")) field.hidden = !["why", ...shown].includes(field.dataset.for);
    document.querySelector(`[data-tool="${which}"]`)?.setAttribute("aria-pressed", "true");
    name.value = parent.value = why.value = last.value = "";
    for (const option of parent.options) option.disabled = false;
    first.value = first.min;
    for (const box of crew()) box.checked = false;
    same.checked = true;
    crews.replaceChildren();
    at("[data-effects]").hidden = at("[data-people]").hidden = at("[data-refused]").hidden = true;
    at("[data-notes]").replaceChildren();
    save.disabled = true;
    waits("");
    save.textContent = say.save;
    at("[data-present]").hidden = true;
    panel.hidden = false;
    panel.closest(".body").scrollTop = 0;
  }
  function draw(mode) { pen = newPen(); pen.setMode(mode); }

  const START = {
    create() { open("create", ["name", "parent", "yield", "later", ...WHO]); draw("polygon"); name.focus({ preventScroll: true }); },
    give() { const [to] = one() ?? []; if (to) { open("give", SINCE); operation = { kind: "give", to_id: to.dataset.choose, revs: revs() }; draw("polygon"); } },
    split() { const [whom] = one() ?? []; if (whom) { open("split", ["name", "later", ...WHO]); operation = { kind: "split", territory_id: whom.dataset.choose, rev: Number(whom.dataset.rev) }; name.value = `${titleOf(whom)} 2`; draw("linestring"); } },
    merge() {
      const all = chosen();
      if (all.length < 2) return toast(say.choose_two);
      open("merge", ["name", ...SINCE]);
      name.value = titleOf(all[0]);
      operation = { kind: "merge", territory_ids: all.map((box) => box.dataset.choose), revs: revs() };
      return look();
    },
    delete() { const [whom] = one() ?? []; if (whom) { open("delete", SINCE); operation = { kind: "delete", territory_id: whom.dataset.choose, rev: Number(whom.dataset.rev) }; look(); } },
    async reshape() {
      const [whom] = one() ?? [];
      if (!whom) return;
      const all = await api("GET", "/api/v1/territories?area=true");
      const row = all.body.items.find((item) => item.id === whom.dataset.choose);
      const many = corners(row.area);
      if (many > MOST_CORNERS) { toast(say.corners.replace("{n}", number(many))); return; }
      open("reshape", ["yield", ...SINCE]);
      operation = { kind: "reshape", territory_id: row.id, rev: row.rev };
      pen = newPen();
      holes = row.area.coordinates.flatMap((part) => part.slice(1));
      const round = (ring) => ring.map((point) => point.map((value) => Number(value.toFixed(9))));
      const added = pen.addFeatures(row.area.coordinates.map((part) => ({ type: "Feature", properties: { mode: "polygon" }, geometry: { type: "Polygon", coordinates: [round(part[0])] } })));
      pen.setMode("select");
      if (added[0]?.valid) pen.selectFeature(added[0].id);
      known.fit(boundsOf(row.area), { duration: 0 });
    },
  };
  const boundsOf = (area) => { const all = area.coordinates.flat(2); return [Math.min(...all.map((p) => p[0])), Math.min(...all.map((p) => p[1])), Math.max(...all.map((p) => p[0])), Math.max(...all.map((p) => p[1]))]; };
  const titleOf = (box) => box.closest(".territory").querySelector("h2").textContent;
  function one() {
    const all = chosen();
    if (all.length === 1) return all;
    toast(say.choose_one);
    return null;
  }

  function staff(button) {
    const now = button.dataset.now.split(" ");
    open("members", ["people", "from", "last"]);
    at("[data-title]").textContent = `${say.members[0]}: ${titleOf(document.querySelector(`[data-choose="${button.dataset.staff}"]`))}`;
    operation = { kind: "members", territory_id: button.dataset.staff, rev: Number(button.dataset.rev) };
    for (const box of crew()) box.checked = now.includes(box.value);
    look();
  }

  /** A version that came too late, or one that waits for its day, on the present state. */
  function again({ again: id, day }) {
    open(day ? "waiting" : "kept", day ? SINCE : []);
    operation = { kind: "kept", change_id: id };
    if (day) [first.value, save.textContent] = [day, say.set_anew];
    look();
  }

  /** What a territory is called, how it is coloured, and below which region it lies. */
  function rename({ rename: id, colour: own, parent: above }) {
    const box = document.querySelector(`[data-choose="${id}"]`);
    open("rename", ["name", "colour", "parent"]);
    operation = { kind: "reshape", territory_id: id, rev: Number(box.dataset.rev) };
    [name.value, colour.value, parent.value] = [titleOf(box), own, above];
    for (const option of parent.options) option.disabled = option.value === id;
    name.focus({ preventScroll: true });
    look();
  }

  function drawn() {
    const features = pen.getSnapshot().filter((item) => !item.properties.midPoint && !item.properties.selectionPoint);
    if (tool === "create") operation = { kind: "create", area: polygonsOf(features) };
    if (tool === "give") operation = { ...operation, ground: polygonsOf(features) };
    if (tool === "reshape") {
      const area = polygonsOf(features);
      for (const hole of holes) area.coordinates.push([hole]);
      operation = { ...operation, area: holes.length ? withHoles(area, holes) : area };
    }
    if (tool === "split") operation = { ...operation, line: features.find((item) => item.geometry.type === "LineString")?.geometry };
    look();
  }
  function withHoles(area, all) {
    const outer = area.coordinates.slice(0, area.coordinates.length - all.length);
    if (outer.length === 1) return { type: "MultiPolygon", coordinates: [[outer[0][0], ...all]] };
    const inside = ([x, y], ring) => ring.reduce((is, [a, b], k) => { const [c, d] = ring.at(k - 1); return (b > y) !== (d > y) && x < ((c - a) * (y - b)) / (d - b) + a ? !is : is; }, false);
    return { type: "MultiPolygon", coordinates: outer.map(([ring]) => [ring, ...all.filter((hole) => inside(hole[0], ring))]) };
  }
  function wish() {
    const made = { ...operation };
    if (["create", "split"].includes(made.kind)) Object.assign(made, staffed(), { name: name.value.trim() });
    if (made.kind === "merge") made.name = name.value.trim() || null;
    if (tool === "rename" && made.kind === "reshape") Object.assign(made, { name: name.value.trim(), colour: colour.value, parent_id: parent.value || null });
    if (made.kind === "create") made.parent_id = parent.value || null;
    if (made.kind === "members") Object.assign(made, { ...staffed(), valid_from: first.value || null, valid_to: last.value ? dayFrom(last.value, 1) : null });
    if (["create", "reshape"].includes(made.kind)) made.others_give_way = yields.checked;
    return made;
  }
  const isWhole = (made) => made && ((made.kind !== "create" && tool !== "rename") || made.kind === "kept" || made.name) && (made.kind !== "split" || (made.line && made.name)) && (made.kind !== "give" || made.ground);

  /** Why it cannot be saved yet. */
  function waits(text) { const note = at("[data-waits]"); note.hidden = !text; note.textContent = text; }
  function later() { clearTimeout(timer); timer = setTimeout(look, 250); }
  async function look() {
    const turn = (asked += 1), made = file ? null : operation && wish();
    waits(made && !made.name && (tool === "rename" || (["create", "split"].includes(made.kind) && (made.area || made.line))) ? say.nameless : file ? say.reading : "");
    if (!file && !isWhole(made)) { save.disabled = true; return; }
    panel.dataset.state = "looking";
    const answer = file ? await upload("/api/v1/territories/import/preview") : await api("POST", "/api/v1/territory-changes", { operation: made, preview: true, apply_on: applyOn() });
    if (turn !== asked) return;
    waits("");
    tell(answer);
    panel.dataset.state = "looked";
  }
  async function upload(path) {
    const body = new FormData();
    body.append("file", file.get("file"));
    const query = new URLSearchParams({ replace: String(file.get("replace") === "true") });
    if (file.get("epsg")) query.set("epsg", file.get("epsg"));
    if (same.checked) for (const id of staffed().members) query.append("members", id);
    else body.append("crews", JSON.stringify(crewOf()));
    if (first.value) query.set("valid_from", first.value);
    const answer = await fetch(`${path}?${query}`, { method: "POST", body, headers: { Accept: "application/json", "Accept-Language": document.documentElement.lang, "X-CSRF-Token": csrf() } });
    return { ok: answer.ok, status: answer.status, body: await answer.json().catch(() => null) };
  }
  /** The notes of a change in the reader's language. */
  async function note(notes) {
    const asked = ++turn, isEnglish = document.documentElement.lang === "en" || !notes.length;
    const answer = isEnglish ? null : await api("GET", `/territories/said?${new URLSearchParams(notes.map((text) => ["text", text]))}`);
    if (asked !== turn) return;
    at("[data-notes]").replaceChildren(...(answer?.ok ? answer.body : notes).map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  }
  function tell({ ok, body }) {
    turn += 1;
    const refused = at("[data-refused]");
    refused.hidden = ok;
    save.disabled = !ok;
    at("[data-effects]").hidden = !ok || operation?.kind === "members";
    at("[data-notes]").replaceChildren();
    people(ok ? body.effects.people : body?.people ?? [], ok);
    if (!ok) { refused.querySelector("span").textContent = [body?.detail, body?.help].filter(Boolean).join(" ") || say.failed; show([]); return; }
    const { effects, parts, notes } = body;
    show(parts, Boolean(file) || ["places", "kept", "waiting"].includes(tool));
    if (file && !crews.contains(document.activeElement)) each(parts);
    const sums = [effects.accounts ? counted("moved", effects.accounts).replace("{h}", number(effects.hours)) : say.none];
    if (effects.by_hand) sums.push(counted("by_hand", effects.by_hand));
    if (body.apply_on) sums.unshift(say.not_before.replace("{day}", daySaid(body.apply_on)));
    at("[data-sum]").textContent = sums.join(" ");
    note(notes);
    const names = Object.fromEntries([...document.querySelectorAll("[data-choose]")].map((box) => [box.dataset.choose, titleOf(box)]));
    at("[data-effects] tbody").replaceChildren(...effects.totals.map((total) => row(total, parts.find((part) => part.territory_id === total.territory_id), names)));
  }
  const dayFrom = (day, step) => { const date = new Date(`${day}T00:00:00Z`); date.setUTCDate(date.getUTCDate() + step); return date.toISOString().slice(0, 10); };
  /** As the server writes days: Tue 15 Dec, Di 15. Dez., with the year when it is not this one. */
  const daySaid = (day) => {
    const { lang } = document.documentElement, parts = new Intl.DateTimeFormat(lang, { timeZone: "UTC", weekday: "short", day: "numeric", month: "short", year: "numeric" }).formatToParts(new Date(`${day}T00:00:00Z`));
    const { weekday, month, day: number, year } = Object.fromEntries(parts.map((part) => [part.type, part.value]));
    return `${weekday.replace(".", "")} ${number}${lang === "de" ? "." : ""} ${month}${day.slice(0, 4) === first.min.slice(0, 4) ? "" : ` ${year}`}`;
  };
  const daysSaid = (spans) => spans.map((one) => `${daySaid(one.valid_from)} – ${one.valid_to ? daySaid(dayFrom(one.valid_to, -1)) : say.and_on}`).join(", ") || say.not_here;
  /** Whose days change; of a version that came too late what stands now beside one's own. */
  function people(rows, ok) {
    at("[data-people]").hidden = !rows.length;
    at("[data-whose]").textContent = rows.length && operation?.kind === "members" ? counted("covers", rows[0].accounts) : "";
    at("[data-people] ul").replaceChildren(...rows.map((one) => {
      const line = document.createElement("li"), who = document.createElement("strong"), differs = JSON.stringify(one.before) !== JSON.stringify(one.after);
      who.textContent = one.name;
      const days = differs ? [[ok ? say.now : say.theirs, one.before], [ok ? say.then : say.yours, one.after]] : [["", one.before]];
      line.append(who, ...days.map(([head, spans]) => { const text = document.createElement("div"); text.textContent = [head, daysSaid(spans)].filter(Boolean).join(": "); text.className = head && spans === one.after ? "" : "quiet"; return text; }));
      if (one.owned && !one.after.some((span) => !span.valid_to)) {
        const note = document.createElement("div"), link = document.createElement("a");
        const name = document.querySelector(`[data-choose="${one.territory_id}"]`);
        note.textContent = `${say.owned.replace("{name}", one.name).replace("{n}", number(one.owned))} `;
        link.textContent = say.hand_over;
        link.href = `/handovers/new?${new URLSearchParams({ owner: one.user_id, ...(name ? { filter: `territory = ${JSON.stringify(titleOf(name))}` } : {}) })}`;
        note.append(link);
        line.append(note);
      }
      return line;
    }));
  }
  function row(total, part, names) {
    const line = document.createElement("tr");
    const cell = (text, kind = "", below = "") => { const made = document.createElement("td"), small = document.createElement("small"); made.textContent = text; made.className = kind; small.textContent = below; if (below) made.append(small); line.append(made); return made; };
    const mark = part?.is_new ? ` (${say.new})` : part?.is_gone ? ` (${say.gone})` : "";
    cell(`${part?.name ?? names[total.territory_id] ?? ""}${mark}`).title = part?.name ?? "";
    for (const what of ["accounts", "hours", "value"]) {
      const [before, after] = [total[`${what}_before`], total[`${what}_after`]], step = Math.round(after - before);
      cell(number(Math.abs(after) < .5 ? 0 : after), "number", step ? `${step > 0 ? "+" : "−"}${number(Math.abs(step))}` : "");
    }
    return line;
  }
  async function commit() {
    save.disabled = true;
    const answer = file ? await upload("/api/v1/territories/import") : await api("POST", "/api/v1/territory-changes", { operation: wish(), why: why.value, apply_on: applyOn() });
    if (!answer.ok) {
      tell(answer);
      if (answer.body?.change_id) { // it is kept, and can be applied on the present state
        operation = { kind: "kept", change_id: answer.body.change_id };
        save.textContent = say.apply_mine;
        at("[data-refused] span").append(` ${say.outdated}`);
        at("[data-present]").href = `/territories?kept=${answer.body.change_id}#territory-${answer.body.territory_id}`;
        at("[data-present]").hidden = false;
        document.querySelector(".territory-page").dataset.outdated = ""; // what stands there is not true any more
      }
      save.disabled = operation?.kind !== "kept";
      return;
    }
    location.assign(`/territories?done=${answer.body.id ?? "latest"}`);
  }

  document.addEventListener("click", (event) => {
    const hit = (what) => event.target.closest?.(what);
    const button = hit("[data-tool]"), mend = hit("[data-mend]"), crew = hit("[data-staff]");
    if (crew) staff(crew);
    if (hit("[data-rename]")) rename(hit("[data-rename]").dataset);
    if (button) { if (button.getAttribute("aria-pressed") === "true") putAway(); else START[button.dataset.tool](); }
    if (mend) { open("mend", SINCE); operation = { kind: "give", ground: troubles[mend.dataset.mend].area, to_id: mend.dataset.to, revs: revs() }; look(); }
    if (hit("[data-again]")) again(hit("[data-again]").dataset);
    if (hit("[data-look]") && hit("form").reportValidity()) { const form = new FormData(hit("form")); open("import", [...WHO, "at-once"]); file = form; at('[data-for="why"]').hidden = true; look(); }
  });
  document.querySelector("[data-places]")?.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    open("places", ["name", "parent", "yield", "later", ...WHO]);
    name.value = form.get("name");
    operation = { kind: "create", admin_area_ids: form.getAll("places").map(Number), postcodes: form.getAll("postcodes") };
    look();
  });
  for (const field of [name, parent, colour, yields, first, last, at("#e-people"), same, crews]) field.addEventListener("input", later);
  save.addEventListener("click", commit);
  at("[data-cancel]").addEventListener("click", putAway);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && tool) putAway(); });
  document.addEventListener("themechange", putAway);

  return {
    /** A click on the map chooses the smallest territory there, while no tool is in hand. */
    clicked(ids) {
      if (tool) return;
      const box = document.querySelector(`[data-choose="${ids.at(-1)}"]`);
      if (box) { box.checked = !box.checked; box.closest(".territory").scrollIntoView({ block: "nearest" }); }
    },
    outlines,
  };
}
