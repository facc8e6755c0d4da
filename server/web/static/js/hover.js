// What lies under the pointer, in a few words and without a request: the card comes with a click.

const DE = document.documentElement.lang === "de";
const say = (en, de) => (DE ? de : en);

/** The words for a feature of some layer: a title and what is to know of it. */
const WORDS = {
  "account-pins": ({ name, account_class, overdue_days, stage_id }) => [name, [account_class && say(`class ${account_class}`, `Klasse ${account_class}`), due(overdue_days), stageOf(stage_id)]],
  "account-bubbles": ({ count, a, b, c }) => [many(count, "account", "accounts", "Konto", "Konten"), [`A ${a}`, `B ${b}`, `C ${c}`]],
  "lead-bubbles": ({ count }) => [many(count, "lead", "leads", "Lead", "Leads"), []],
  "ticket-bubbles": ({ count, overdue }) => [many(count, "ticket", "tickets", "Ticket", "Tickets"), [overdue > 0 && say(`${number(overdue)} overdue`, `${number(overdue)} überfällig`)]],
  "prospect-bubbles": ({ count }) => [many(count, "firm nearby", "firms nearby", "Firma in der Nähe", "Firmen in der Nähe"), [say("no customers yet", "noch keine Kunden")]],
  "market-cells": ({ prospects, customers, penetration }) => [many(prospects, "prospect", "prospects", "Interessent", "Interessenten"), [many(customers, "customer", "customers", "Kunde", "Kunden"), penetration !== undefined && say(`penetration ${percent(penetration)}`, `Durchdringung ${percent(penetration)}`)]],
  "lead-pins": ({ name, score }) => [name, [say("lead", "Lead"), score === undefined ? "" : say(`score ${Math.round(score)}`, `Punktzahl ${Math.round(score)}`)]],
  "ticket-pins": ({ name, number, is_overdue }) => [name, [number, is_overdue ? say("overdue", "überfällig") : ""]],
  "prospect-points": ({ name, kind }) => [name, [firm(kind), say("no customer yet", "noch kein Kunde")]],
  "route-stops": ({ name, label, at, rep }) => [name, [label && say(`stop ${label}`, `Stopp ${label}`), at && say(`planned at ${at}`, `geplant um ${at}`), rep]],
  "track-stops": ({ name, at, rep }) => [name, [say(`checked in at ${at}`, `eingecheckt um ${at}`), rep]],
  "incoming-reports": ({ name, state }) => [name, [state === "done" ? say("visited", "besucht") : say("missed", "verpasst")]],
  "territory-areas": ({ id, name }) => { const { who, accounts } = asked("/home/territories.json")[id] ?? {}; return [name, [say("territory", "Gebiet"), who, accounts !== undefined && many(accounts, "account", "accounts", "Konto", "Konten")]]; },
};

/** The stage of an account's deal in words, as the map's page knows it. */
function stageOf(id) {
  const pipelines = id ? JSON.parse(document.querySelector("#home")?.dataset.pipelines ?? "[]") : [];
  return pipelines.flatMap((one) => one.stages).find((one) => one.id === id)?.name ?? "";
}

const LANG = document.documentElement.lang;
const number = (value) => value.toLocaleString(LANG, { maximumFractionDigits: value < 10 ? 1 : 0 });
const percent = (share) => share.toLocaleString(LANG, { style: "percent", maximumFractionDigits: share < .1 ? 1 : 0 });
const many = (count, one, more, eins, mehr) => `${number(count)} ${count === 1 ? say(one, eins) : say(more, mehr)}`;

const lists = {};
/** What a list of the server's says: asked for once, with the first thing of its kind under the pointer; empty until it came. */
function asked(path) {
  if (!lists[path]) {
    lists[path] = {};
    fetch(path).then((answer) => (answer.ok ? answer.json() : {})).then((found) => { lists[path] = found; }).catch(() => {});
  }
  return lists[path];
}
/** A kind of firm in words; until they came as it is tagged. */
const firm = (kind) => asked("/density/kinds.json")[kind] ?? kind.split("=").at(-1).replaceAll("_", " ");

function due(days) {
  if (days === undefined) return "";
  const much = many(Math.abs(days), "day", "days", "Tag", "Tage"), ahead = many(-days, "day", "days", "Tag", "Tagen");
  if (days > 0) return say(`${much} overdue`, `${much} überfällig`);
  return days === 0 ? say("due today", "heute fällig") : say(`due in ${ahead}`, `in ${ahead} fällig`);
}

/** A small card beside a point of the map, which keeps off its edges and its legend: {show(point, title, facts), hide()}. */
export function hoverCard(map) {
  const card = document.createElement("div");
  card.className = "hover-card";
  card.hidden = true;
  map.getContainer().append(card);
  const show = (point, title, facts) => {
    card.hidden = false;
    const strong = document.createElement("strong");
    strong.textContent = title;
    card.replaceChildren(strong, facts);
    const frame = map.getContainer().getBoundingClientRect(), legend = map.getContainer().querySelector(".legend")?.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = card;
    const within = (value, size, room) => Math.max(4, Math.min(value, room - size - 4));
    const places = [[14, 18], [-14 - width, 18], [14, -12 - height], [-14 - width, -12 - height]]
      .map(([right, down]) => [within(point.x + right, width, frame.width), within(point.y + down, height, frame.height)]);
    const covers = ([x, y]) => (x < point.x + 6 && x + width > point.x - 6 && y < point.y + 6 && y + height > point.y - 6)
      || (legend?.width && x + frame.left < legend.right && x + width + frame.left > legend.left && y + frame.top < legend.bottom && y + height + frame.top > legend.top);
    const [left, top] = places.find((place) => !covers(place)) ?? places[0];
    [card.style.left, card.style.top] = [`${left}px`, `${top}px`];
  };
  return { show, hide: () => { card.hidden = true; } };
}

/** What lies under the pointer; touch screens have none, they tap. `busy()` says when the pointer draws, or a card stands. */
export function hoverCards(map, busy) {
  if (!matchMedia("(hover: hover)").matches) return;
  const card = hoverCard(map);
  map.on("mousemove", ({ point }) => {
    const there = Object.keys(WORDS).filter((id) => map.getLayer(id));
    const [hit] = busy() ? [] : map.queryRenderedFeatures(point, { layers: there });
    const [title, facts] = hit ? WORDS[hit.layer.id](hit.properties) : [];
    if (title) card.show(point, title, facts.filter(Boolean).join(" · ")); else card.hide();
  });
  for (const gone of ["mouseout", "click"]) map.on(gone, card.hide);
}
