"""What the rep sees: the server's row with the rep's own pending ops laid over it. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from mobile.field.store.canonical import Json

Ref = tuple[str, str]

VISIT_FIELDS = (
    "id", "account_id", "site_id", "rep_id", "day", "zone", "state", "appointment", "objective", "outcome", "note",
    "planned_start_at", "planned_end_at", "checked_in_at", "done_at", "checkin",
)  # fmt: skip
PROGRESS = ("planned", "en_route", "checked_in", "done")
FINAL = ("done", "missed", "cancelled")
CUSTOM = "custom."
"""What the names of the company's own fields begin with; in a row they lie together under `custom`."""


def target(body: Json) -> Ref:
    """The row whose shown document an op changes; an event changes its visit."""
    if body["e"] == "visit_event":
        return "visit", str(body["d"]["visit_id"])
    return str(body["e"]), str(body["id"])


def references(body: Json) -> set[Ref]:
    """Every row an op needs to stay readable while it is unsent."""
    refs = {target(body)}
    if body["k"] == "create":
        refs |= {(e, body["d"][f"{e}_id"]) for e in ("account", "site") if body["d"].get(f"{e}_id")}
    return refs


def lay_over(base: Json | None, bodies: Sequence[Json], ahead: timedelta = timedelta()) -> Json | None:
    """The document after the given ops, in order; None when there is nothing to show.

    The server's clock is `ahead` of the phone's, by which ops are dated.
    """
    doc = None if base is None else dict(base)
    for body in bodies:
        doc = _with_event(doc, body, ahead) if body["e"] == "visit_event" else _with_edit(doc, body, ahead)
    return doc


def _dated(body: Json, ahead: timedelta) -> str:
    """When an op was made, as the server will tell it."""
    wall = str(body["at"]["wall"])
    return (datetime.fromisoformat(wall) + ahead).isoformat(timespec="milliseconds") if ahead else wall


def _with_event(doc: Json | None, body: Json, ahead: timedelta) -> Json:
    """A visit after an event, by the server's rules."""
    event = body["d"]
    visit = doc if doc is not None else dict.fromkeys(VISIT_FIELDS) | {"id": event["visit_id"], "flags": []}
    visit = visit | {k: event[k] for k in ("account_id", "site_id", "day", "zone") if visit.get(k) is None}
    if event["checkin"] is not None and _counts(visit, event["state"]):
        visit["checkin"] = event["checkin"]
    if event["state"] == "checked_in" and visit.get("checked_in_at") is None:
        visit["checked_in_at"] = _dated(body, ahead)
    if visit.get("state") == "done":
        return visit
    if event["state"] in FINAL:
        done_at = _dated(body, ahead) if event["state"] == "done" else None
        told = {"state": event["state"], "outcome": event["outcome"], "note": event["note"], "done_at": done_at}
        return visit | told | _form_of(event)
    if _is_further(visit.get("state"), event["state"]):
        visit["state"] = event["state"]
    return visit


def _counts(visit: Json, state: str) -> bool:
    """Whether where the phone was is where the visit was checked in: the first time, and again where that was poor."""
    held = visit.get("checkin") or {}
    if held.get("lon") is None:
        return True
    return state == "checked_in" and visit.get("state") not in FINAL and held.get("verification") != "verified"


def _form_of(event: Json) -> Json:
    """What was answered and who signed, as the server will tell it."""
    form, signature = event.get("form"), event.get("signature")
    told: Json = {} if signature is None else {"signed_by": signature["name"]}
    if form is not None:
        told |= {"visit_type_id": form["visit_type_id"], "form_version_id": form["version_id"]}
        told["answers"] = form["answers"]
    return told


def _is_further(state: str | None, other: str) -> bool:
    """Whether a visit goes on to the other state: what arrives late never takes it back."""
    return state is None or (state in PROGRESS and PROGRESS.index(other) > PROGRESS.index(state))


def _with_edit(doc: Json | None, body: Json, ahead: timedelta) -> Json | None:
    kind = body["k"]
    if kind == "create":
        return doc or {"id": body["id"], "proposed_at": _dated(body, ahead), **body["d"]}
    if doc is None or kind == "delete":
        return None
    if kind == "patch":
        return with_values(doc, {field: new for field, (_old, new) in body["f"].items()})
    present: list[object] = list(doc.get(body["field"]) or [])
    if kind == "setadd":
        return doc | {body["field"]: present + [v for v in body["v"] if v not in present]}
    if kind == "setdel":
        return doc | {body["field"]: [v for v in present if v not in body["v"]]}
    return doc


def value_of(doc: Json, name: str) -> Any:
    """What a field of a row holds, one of the company's own as well."""
    key = name.removeprefix(CUSTOM)
    return doc.get(name) if key == name else (doc.get("custom") or {}).get(key)


def with_values(doc: Json, values: Json) -> Json:
    """A row with other values in some fields."""
    own = {name.removeprefix(CUSTOM): new for name, new in values.items() if name.startswith(CUSTOM)}
    plain = {name: new for name, new in values.items() if not name.startswith(CUSTOM)}
    if own:
        held = (doc.get("custom") or {}) | own
        plain["custom"] = {key: value for key, value in held.items() if value is not None}
    return doc | plain


def by_target(bodies: Iterable[Json]) -> dict[Ref, list[Json]]:
    """Ops grouped by the row they change, order kept."""
    grouped: dict[Ref, list[Json]] = {}
    for body in bodies:
        grouped.setdefault(target(body), []).append(body)
    return grouped
