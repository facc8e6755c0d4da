"""Templates of trades: fields, visit types with forms and pick lists that a company of that trade begins with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.fields import forms, queries, service
from server.fields.models import OBJECTS, VisitType
from server.kit.errors import NotFound


@dataclass(frozen=True)
class Trade:
    """A template as its file describes it."""

    key: str
    name: str
    about: str
    fields: Mapping[str, Sequence[Mapping[str, Any]]]
    """By object."""
    visit_types: Sequence[Mapping[str, Any]]
    picklists: Mapping[str, Sequence[Mapping[str, str]]]


@dataclass(frozen=True)
class Addition:
    """One thing that a template brings."""

    what: str
    """`field`, `visit_type`, `form` or `picklist`."""
    where: str
    name: str
    is_there: bool
    """It is there already and stays as it is."""
    questions: int = 0
    """Of a form."""


@lru_cache(maxsize=1)
def trades() -> Mapping[str, Trade]:
    """The templates that ship with the program, by key."""
    folder = resources.files("server.fields") / "templates"
    found = {}
    for path in sorted(folder.iterdir(), key=lambda one: one.name):
        if path.name.endswith(".json"):
            key = path.name.removesuffix(".json")
            found[key] = Trade(key=key, **json.loads(path.read_text("utf-8")))
    return found


def find(key: str) -> Trade:
    """A template."""
    if key not in trades():
        raise NotFound(f"There is no template “{key}”.", help="One of: " + ", ".join(trades()) + ".")
    return trades()[key]


def preview(session: Session, trade: Trade) -> list[Addition]:
    """What a template would add, and what of it is there already."""
    found = []
    for object, fields in trade.fields.items():
        there = {one.key for one in queries.fields_of(session, object, archived=True)}
        found += [Addition("field", OBJECTS[object], one["label"], one["key"] in there) for one in fields]
    for one in trade.visit_types:
        type_ = _type(session, one["name"])
        asked = type_ is not None and forms.current(session, type_.id) is not None
        found.append(Addition("visit_type", "Visits", one["name"], type_ is not None))
        if one.get("questions"):
            found.append(Addition("form", "Visits", one["name"], asked, len(one["questions"])))
    for name, entries in trade.picklists.items():
        known = {value for value, _ in queries.picklist(session, name)}
        found += [Addition("picklist", name, one["label"], one["value"] in known) for one in entries]
    return found


def apply(session: Session, trade: Trade, *, by: UUID | None = None) -> list[Addition]:
    """Add what a template brings and is not there; what is there stays as it is. Returns what was added."""
    added = [one for one in preview(session, trade) if not one.is_there]
    for object, fields in trade.fields.items():
        there = {one.key for one in queries.fields_of(session, object, archived=True)}
        for one in fields:
            if one["key"] not in there:
                service.add(session, object, {"section": trade.name, **one})
    for place, one in enumerate(trade.visit_types, 1):
        type_ = _type(session, one["name"])
        if type_ is None:
            type_ = forms.set_type(session, {"name": one["name"], "service_s": one.get("service_s"), "position": place})
        if one.get("questions") and forms.current(session, type_.id) is None:
            forms.set_questions(session, type_.id, one["questions"], by=by)
    for name, entries in trade.picklists.items():
        present = [{"value": value, "label": label} for value, label in queries.picklist(session, name)]
        new = [dict(one) for one in entries if one["value"] not in {value["value"] for value in present}]
        if new:
            service.set_picklist(session, name, present + new)
    return added


def _type(session: Session, name: str) -> VisitType | None:
    statement = select(VisitType).where(func.lower(VisitType.name) == name.lower(), VisitType.deleted_at.is_(None))
    return session.scalars(statement).one_or_none()
