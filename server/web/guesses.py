"""What people mean who type an address by heart: the page of that name, or those that come near."""

from collections.abc import Mapping
from difflib import get_close_matches

from server.web.pages import ROOMS, Room

MEANT: Mapping[str, tuple[str, ...]] = {
    "accounts": ("customers", "customer", "companies", "company", "clients", "account", "kunden", "konten", "firmen"),
    "contacts": ("people", "persons", "contact", "kontakte", "personen"),
    "leads": ("lead", "prospects", "interessenten"),
    "pipeline": ("deals", "deal", "opportunities", "opportunity", "kanban", "board", "verkaufschancen"),
    "forecast": ("forecasts", "prognose"),
    "home": ("map", "maps", "home", "index", "index.html", "karte", "start"),
    "reports": ("dashboard", "dashboards", "report", "statistics", "berichte", "auswertungen"),
    "calendar": ("activities", "appointments", "meetings", "calls", "kalender", "termine"),
    "tasks": ("task", "todo", "todos", "aufgaben"),
    "plans": ("plan", "routes", "route", "tours", "visits", "planning", "planung", "routen", "touren", "besuche"),
    "tickets": ("ticket", "support", "issues"),
    "territories": ("territory", "areas", "gebiete"),
    "balance": ("balance", "balancing", "scenarios", "ausgleich", "szenarien"),
    "orders": ("order", "quotes", "quote", "offers", "invoices", "angebote", "bestellungen"),
    "products": ("product", "articles", "catalogue", "catalog", "prices", "price-lists", "produkte", "artikel"),
    "segments": ("segment", "lists", "segmente"),
    "imports": ("import", "upload", "importe"),
    "bin": ("trash", "recycle-bin", "deleted", "papierkorb"),
    "users": ("user", "team", "teams", "benutzer"),
    "integrations": ("api", "webhooks", "mailboxes"),
}
"""By the key of a room: other words for it."""

SEVERAL: Mapping[str, tuple[str, ...]] = {
    "settings": ("me", "users", "fields", "integrations", "regions"),
    "admin": ("me", "users", "fields", "integrations", "regions"),
    "setup": ("me", "users", "fields", "integrations", "regions"),
    "mail": ("accounts", "inbox", "integrations"),
    "mail-templates": ("accounts", "integrations"),
    "templates": ("accounts", "fields", "integrations"),
    "letters": ("accounts", "inbox", "integrations"),
    "vorlagen": ("accounts", "fields", "integrations"),
    "einstellungen": ("me", "users", "fields", "integrations", "regions"),
}
"""Words that mean no single room."""

ROOM_OF = {word: key for key, words in MEANT.items() for word in words}
OFF_RAIL = (
    Room("me", "/me", "My settings", "user-round", "", ""),
    Room("balance", "/territories/balance", "Balance territories", "scale", "", "territories:write"),
)
"""Pages that stand in no rail."""
BY_KEY = {room.key: room for room in (*ROOMS, *OFF_RAIL)}


def word_of(path: str) -> str:
    """The first word of an address, in small letters."""
    return path.strip("/").partition("/")[0].lower()[:60]


def meant(path: str) -> Room | None:
    """The room that an address of a single word certainly means; None where it could be several, or none."""
    word = path.strip("/").lower()
    return BY_KEY[ROOM_OF[word]] if word in ROOM_OF else None


def near(path: str) -> list[Room]:
    """The rooms that an address may mean, the nearest first, at most five."""
    word = word_of(path)
    if word in SEVERAL:
        return [BY_KEY[key] for key in SEVERAL[word]]
    names = {room.path.strip("/"): room.key for room in ROOMS if room.path != "/"} | ROOM_OF
    found = (names[one] for one in get_close_matches(word, names, n=8, cutoff=0.65))
    return [BY_KEY[key] for key in dict.fromkeys(found)][:4]
