"""What a rep can save: visit events and edits, each becoming one op in the outbox."""

from dataclasses import dataclass
from typing import Any

from mobile.field import limits
from mobile.field.checkin import Fix
from mobile.field.store import Store, clock
from mobile.field.store.canonical import Json
from mobile.field.store.ids import uuid7
from mobile.field.store.outbox import Op
from mobile.field.store.overlay import value_of

STATES = ("en_route", "checked_in", "done", "missed", "cancelled")


@dataclass(frozen=True)
class VisitTarget:
    """The visit an event belongs to; without a visit_id the event begins an unplanned one."""

    account_id: str
    site_id: str | None
    day: str
    zone: str
    visit_id: str | None = None
    has_pin: bool = True
    """Whether this phone knows a pin to compare a check-in with."""


def op_of(kind: str, e: str, row_id: str, **rest: Any) -> Json:
    """An op of this moment, with an id of its own; raises Unfit for what the server would not take."""
    if kind == "create":
        rest["d"] = limits.created(e, rest["d"])
    elif kind == "patch":
        rest["f"] = limits.edited(e, rest["f"])
    elif kind in ("setadd", "setdel"):
        rest["v"] = limits.elements(e, rest["field"], rest["v"])
    at = {"wall": clock.wall(), "mono": clock.mono_ms(), "boot": clock.boot_id()}
    return {"op_id": uuid7(), "k": kind, "e": e, "id": row_id, "at": at, **rest}


def visit_event(
    store: Store,
    visit: VisitTarget,
    state: str,
    *,
    outcome: str | None = None,
    note: str | None = None,
    fix: Fix | None = None,
) -> Op:
    """Save that a visit reached a state; works without network, forever and at once."""
    if state not in STATES:
        raise ValueError(f"a visit cannot become {state!r}; states are {', '.join(STATES)}")
    d: Json = {
        "visit_id": visit.visit_id or uuid7(),
        "account_id": visit.account_id,
        "site_id": visit.site_id,
        "day": visit.day,
        "zone": visit.zone,
        "state": state,
        "outcome": outcome,
        "note": note or None,
        "checkin": None if fix is None else checkin_of(fix),
    }
    if fix is not None and not visit.has_pin:
        d["checkin"]["unpinned"] = True
    return store.save(op_of("create", "visit_event", uuid7(), d=d))


def propose_pin(store: Store, site: Json, lon: float, lat: float, *, note: str = "", fix: Fix | None = None) -> Op:
    """Save a better place for a site; the office decides, or takes it at once from those who may place pins."""
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise ValueError(f"{lon}, {lat} is no place on Earth")
    d = {
        "account_id": site["account_id"],
        "site_id": site["id"],
        "lon": round(lon, 6),
        "lat": round(lat, 6),
        "note": note.strip() or None,
        "fix": None if fix is None else checkin_of(fix),
    }
    return store.save(op_of("create", "pin_proposal", uuid7(), d=d))


def checkin_of(fix: Fix) -> Json:
    """A reading as it travels."""
    return {
        "lon": round(fix.lon, 6),
        "lat": round(fix.lat, 6),
        "accuracy_m": round(fix.accuracy_m, 1),
        "fix_at": fix.taken_at.isoformat(timespec="milliseconds"),
        "mock": fix.mock,
    }


def edit(store: Store, e: str, row_id: str, changes: Json, seen: tuple[int, Json] | None = None) -> Op | None:
    """Save changed fields of a row with their old values; None when nothing differs. `seen` are the revision and the
    document that a form showed when it was opened: what a sync brought since is not the rep's to replace unseen.
    """
    rev, shown = seen or store.cache.shown(e, row_id)
    fields = {f: [old, new] for f, new in changes.items() if (old := value_of(shown, f)) != new}
    if not fields:
        return None
    return store.save(op_of("patch", e, row_id, base_rev=rev, f=fields))


def change_tags(
    store: Store, account_id: str, *, add: list[str] | None = None, remove: list[str] | None = None
) -> None:
    """Save added and removed tags as set operations, which never conflict."""
    for kind, values in (("setadd", add), ("setdel", remove)):
        if any(value.strip() for value in values or ()):
            store.save(op_of(kind, "account", account_id, field="tags", v=values))
