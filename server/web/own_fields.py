"""The company's own fields in forms: what a form sends of them, for every room's page. And fields of records and their
values in words, the company's own ones as it calls them."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from server.accounts.models import Weekday
from server.accounts.values import ACCOUNT, AMOUNTS, SITE
from server.contacts.values import CONTACT
from server.fields import queries as own
from server.fields.models import CustomField, FieldKind
from server.fields.values import Shape, a_day, as_it_is, figure, in_words, is_gone, shape_of
from server.records.editing import CUSTOM as PREFIX
from server.records.merging import Json
from server.sync.protocol.messages import Reason
from server.sync.protocol.reasons import REASONS
from server.web.forms import text
from server.web.language import Language

LABELS = {
    entity: {name: rule.label for name, rule in rules.items()}
    for entity, rules in (("account", ACCOUNT), ("site", SITE), ("contact", CONTACT))
}
"""What Waymark's own fields are called."""
WORDS = frozenset({"status", "preferred_time", "preferred_channel", "state", "outcome", "kind"})
"""Fields of which each value is a word of ours."""
WEEKDAYS: dict[str, str] = dict(
    zip(Weekday, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True)
)


class Named(Protocol):
    """A field of a record, by the name under which phones send it."""

    @property
    def entity(self) -> str: ...

    @property
    def field(self) -> str: ...


@dataclass(frozen=True)
class Field:
    """A field of a record, by name."""

    entity: str
    field: str


class Told:
    """Fields and their values as people call them, the company's own ones by their definitions, whatever a value is."""

    def __init__(self, session: Session, language: Language, objects: Collection[str] = tuple(LABELS)) -> None:
        self.language, self.own = language, own.ever(session, objects)

    def label(self, one: Named) -> str:
        """What a field is called; one that was deleted as it was called."""
        t, custom = self.language.t, self.own.get((one.entity, one.field))
        if custom is not None:
            label = t(custom.label)
            return label if custom.deleted_at is None else t("{field} (no longer there)", field=label)
        if one.field.startswith(PREFIX):
            return t("A field that is no longer there")
        known = LABELS.get(one.entity, {}).get(one.field)
        return t(known or ("E-mail" if one.field == "email" else one.field.capitalize().replace("_", " ")))

    def value(self, one: Named, value: Json) -> str:
        """A value of that field."""
        custom = self.own.get((one.entity, one.field))
        if custom is not None:
            return in_words(shape_of(custom), value, self.language) or self.language.t("empty")
        return said_value(self.language, one.field, value)

    def is_gone(self, one: Named, value: Json) -> bool:
        """Whether a value holds a choice that its field does not have any more."""
        custom = self.own.get((one.entity, one.field))
        return custom is not None and is_gone(shape_of(custom), value)

    def why(self, entity: str | None, reasons: Iterable[Reason]) -> str:
        """Why something was refused, with its fields as people call them."""
        return " ".join(self.sentence(entity or "", one) for one in reasons)

    def sentence(self, entity: str, reason: Reason) -> str:
        """One code in words."""
        values, called = dict(reason.values), dict[str, str]()
        for gap in ("field", "fields"):
            names = [Field(entity, name) for name in values.get(gap, "").split(", ") if name]
            called[gap] = ", ".join(map(self.called, names))
        if "json" in values:
            one = Field(entity, values["name"])
            called |= {"field": self.label(one), "value": self.value(one, json.loads(values["json"]))}
        elif values.get("field") in WORDS and "value" in values:
            called["value"] = self.language.t(values["value"])
        return self.language.said(REASONS[reason.code].format(**values | called))

    def called(self, one: Named) -> str:
        """A field as it is called, or as rules call it in words already."""
        is_named = one.field in LABELS.get(one.entity, {}) or one.field.startswith(PREFIX)
        return self.label(one) if is_named or one.field.islower() else self.language.t(one.field)


def said_value(language: Language, field: str, value: Json) -> str:
    """A value of one of Waymark's own fields, by the name under which it is stored."""
    if value is None or value == []:
        return language.t("empty")
    match field, value:
        case "kind", str() if "=" in value:
            return language.firm(value)
        case "opening_hours", str():
            return language.hours(value)
        case "interval_days", int() | float() | str() if (days := figure(value)) is not None:
            return language.t("{n} days", n=language.quantity(days, None))
        case "preferred_days", [*several]:
            return ", ".join(language.t(WEEKDAYS.get(str(each), str(each))) for each in several)
        case name, int() | float() | str() if name in AMOUNTS and (amount := figure(value)) is not None:
            return language.quantity(amount, None)
        case name, str() if name in WORDS:
            return language.t(value)
        case name, str() if (name == "day" or name.endswith("_on")) and (day := a_day(value)) is not None:
            return language.day(day)
        case name, str() if name.endswith("_at"):
            return language.moment(value)
        case name, int() if name.endswith("_s") and not isinstance(value, bool):
            return language.duration(value)
        case _, {"value": str() as reached, **_rest}:
            return reached
        case _, [*several] if all(isinstance(each, dict) and "value" in each for each in several):
            return ", ".join(said_value(language, field, each) for each in several)
    return as_it_is(value, language)


def sent_own(sent: FormData, fields: Iterable[CustomField], *, prefix: str = PREFIX) -> dict[str, Any]:
    """The own fields of a form as `custom.<key>`; fields that the form does not have are left out."""
    shapes = {one.key: FieldKind(one.kind) for one in fields}
    return sent_shaped(sent, shapes, prefix=prefix)


def sent_answers(sent: FormData, questions: Iterable[tuple[str, Shape]]) -> dict[str, Any]:
    """The answers of a visit's form, by the keys of its questions."""
    found = sent_shaped(sent, {key: shape.kind for key, shape in questions}, prefix="answers.")
    return {name.removeprefix("answers."): value for name, value in found.items()}


def sent_shaped(sent: FormData, kinds: Mapping[str, FieldKind], *, prefix: str) -> dict[str, Any]:
    """Values by name, each as its kind is sent."""
    found: dict[str, Any] = {}
    for key, kind in kinds.items():
        name = prefix + key
        if name not in sent:
            continue
        if kind == FieldKind.CHOICES:
            found[name] = [value for value in sent.getlist(name) if isinstance(value, str) and value] or None
        elif kind == FieldKind.MONEY:
            amount = text(sent, name)
            found[name] = {"amount": amount, "currency": text(sent, f"{name}.currency")} if amount else None
        else:
            found[name] = text(sent, name)
    return found


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a form that was refused, as a template shows them again: own fields by key."""
    return {name.removeprefix(PREFIX): value for name, value in values.items() if name.startswith(PREFIX)}
