"""My proposals of better pins, and what became of them; how sure a pin is."""

import json
from dataclasses import dataclass
from datetime import datetime

from mobile.field.reads import instant, marks
from mobile.field.store import Store
from mobile.field.store.canonical import Json

ROUGH_GRADES = ("street", "locality")
ROUGH_M = 250.0
"""A pin that may be off by more is no place to drive to."""


@dataclass(frozen=True)
class ProposedPin:
    """My latest proposal for a site."""

    lon: float
    lat: float
    state: str
    """phone (not sent yet), open, accepted or refused."""
    at: datetime | None
    answer: str | None
    """Why it was refused."""


def proposed_pins(store: Store, account_id: str) -> dict[str, ProposedPin]:
    """My latest proposal for each site of an account by the site's id; refused by the server itself: see sync."""
    sql = "select opened(doc) from row indexed by row_account where e='pin_proposal' and account_id=? order by id"
    found, pins = marks(store), {}
    for (text,) in store.cache.db.execute(sql, (account_id,)):
        doc = json.loads(text)
        if doc.get("state") != "withdrawn" and found.get(("pin_proposal", doc["id"])) != "attention":
            pins[str(doc["site_id"])] = ProposedPin(
                doc["lon"], doc["lat"], doc.get("state") or "phone", instant(doc.get("proposed_at")), doc.get("answer")
            )
    return pins


def is_by_people(site: Json) -> bool:
    """Whether people have set or confirmed the pin: no address moves it."""
    return site.get("grade") in ("manual", "gps_confirmed")


def is_stale(store: Store, site: Json) -> bool:
    """Whether the address was changed here and the server has not looked for its pin yet."""
    _, base = store.cache.base("site", str(site["id"]))
    moved = any(site.get(name) != (base or site).get(name) for name in ("street", "postcode", "city", "country"))
    return moved and not is_by_people(site)


def is_approximate(site: Json) -> bool:
    """Whether a rep should ask for the way before driving to the pin."""
    rough = site.get("grade") in ROUGH_GRADES or (site.get("uncertainty_m") or 0) > ROUGH_M
    return site.get("lat") is not None and rough
