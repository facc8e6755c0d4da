// What lies under the pointer, in a few words and without a request: the card comes with a click.

const DE = document.documentElement.lang === "de";
const say = (en, de) => (DE ? de : en);

/** The words for a feature of some layer: a title and what is to know of it. */
const WORDS = {
  "account-pins": ({ name, account_class, overdue_days }) => [name, [account_class && say(`class ${account_class}`, `Klasse ${account_class}`), due(overdue_days)]],
  "account-bubbles": ({ count, a, b, c }) => [say(`${count} accounts`, `${count} Konten`), [`A ${a}`, `B ${b}`, `C ${c}`]],
  "lead-pins": ({ name, score }) => [name, [say("lead", "Lead"), score === undefined ? "" : say(`score ${Math.round(score)}`, `Punktzahl ${Math.round(score)}`)]],
  "ticket-pins": ({ name, number, is_overdue }) => [name, [number, is_overdue ? say("overdue", "überfällig") : ""]],
  "prospect-points": ({ name, kind }) => [name, [firm(kind), say("no customer yet", "noch kein Kunde")]],
  "route-stops": ({ name, label }) => [name, [label && say(`stop ${label}`, `Stopp ${label}`)]],
  "track-stops": ({ name, at, rep }) => [name, [say(`checked in at ${at}`, `eingecheckt um ${at}`), rep]],
  "incoming-reports": ({ name, state }) => [name, [state === "done" ? say("visited", "besucht") : say("missed", "verpasst")]],
  "territory-areas": ({ name }) => [name, [say("territory", "Gebiet")]],
};

let firms = null;
/** A kind of firm in words: asked for once, with the first prospect under the pointer; until then as it is tagged. */
function firm(kind) {
  if (firms === null) {
    firms = {};
    fetch("/density/kinds.json").then((answer) => (answer.ok ? answer.json() : {})).then((found) => { firms = found; }).catch(() => {});
  }
  return firms[kind] ?? kind.split("=").at(-1).replaceAll("_", " ");
}

function due(days) {
  if (days === undefined) return "";
  if (days > 0) return say(`${days} days overdue`, `${days} Tage überfällig`);
  return days === 0 ? say("due today", "heute fällig") : say(`due in ${-days} days`, `in ${-days} Tagen fällig`);
}

/** A small card beside the pointer; touch screens have none, they tap. `busy()` says when the pointer draws. */
export function hoverCards(map, busy) {
  if (!matchMedia("(hover: hover)").matches) return;
  const card = document.createElement("div");
  card.className = "hover-card";
  card.hidden = true;
  map.getContainer().append(card);
  map.on("mousemove", ({ point }) => {
    const there = Object.keys(WORDS).filter((id) => map.getLayer(id));
    const [hit] = busy() ? [] : map.queryRenderedFeatures(point, { layers: there });
    const [title, facts] = hit ? WORDS[hit.layer.id](hit.properties) : [];
    card.hidden = !title;
    if (!title) return;
    const strong = document.createElement("strong");
    strong.textContent = title;
    card.replaceChildren(strong, facts.filter(Boolean).join(" · "));
    const { clientWidth: width, clientHeight: height } = map.getContainer();
    card.style.left = `${Math.max(4, Math.min(point.x + 14, width - card.offsetWidth - 4))}px`;
    card.style.top = `${point.y + 18 + card.offsetHeight > height ? point.y - 12 - card.offsetHeight : point.y + 18}px`;
  });
  map.on("mouseout", () => { card.hidden = true; });
}
