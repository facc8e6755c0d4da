"""The rules of custom fields: adding, changing and archiving them, and what values may be. Nothing is lost."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from unicodedata import combining, normalize
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.fields import queries
from server.fields.models import OBJECTS, CustomField, FieldKind, Picklist
from server.fields.values import Choice, accepted, shape_of
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.records.editing import CUSTOM, require_revision
from server.records.merging import Json
from server.records.values import Rule, currency, plain

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
MOST_FIELDS = 200
MOST_CHOICES = 200
CHANGEABLE = (
    "label", "kind", "section", "position", "help", "unit", "required", "searchable", "default", "choices", "minimum",
    "maximum", "pattern", "archived",
)  # fmt: skip
WIDER = {(FieldKind.TEXT, FieldKind.LONG_TEXT), (FieldKind.URL, FieldKind.TEXT), (FieldKind.URL, FieldKind.LONG_TEXT),
         (FieldKind.MAIL, FieldKind.TEXT), (FieldKind.PHONE, FieldKind.TEXT)}  # fmt: skip
"""Changes of kind under which every value stays what it was."""


class FieldInUse(Conflict):
    """A change of a field would lose values."""

    code = "field_in_use"


# What other rooms ask


def checked(session: Session, object: str, values: Mapping[str, Any]) -> dict[str, Json]:
    """The custom values of a new row as they are stored, with the defaults of fields left out.

    Refuses unknown fields, wrong values and a required field without one; names the field.
    """
    rules = rules_of(session, object)
    unknown = next((key for key in values if CUSTOM + key not in rules), None)
    if unknown is not None:
        raise Invalid(f"There is no field “{unknown}”.", help=_known(rules), field=CUSTOM + unknown)
    found: dict[str, Json] = {}
    for one in queries.fields_of(session, object):
        value = values.get(one.key)
        value = one.default if value is None or value == "" or value == [] else value
        stored = _cleaned(rules[CUSTOM + one.key], CUSTOM + one.key, value)
        if stored is not None:
            found[one.key] = stored
    return found


def unfit(session: Session, object: str, values: Mapping[str, Any]) -> dict[str, Invalid]:
    """Which values of own fields are refused, by `custom.<key>`; a field that was taken away is called as it was."""
    rules, found = rules_of(session, object), dict[str, Invalid]()
    for name, value in values.items():
        if not name.startswith(CUSTOM):
            continue
        try:
            if name not in rules:
                gone = queries.ever(session, (object,)).get((object, name))
                label = gone.label if gone else name.removeprefix(CUSTOM)
                raise Invalid(f"The field “{label}” is not there any more.", help="Ask an admin.", field=name)
            _cleaned(rules[name], name, value)
        except Invalid as error:
            found[name] = error
    return found


def rules_of(session: Session, object: str) -> dict[str, Rule]:
    """The rule of each custom field of an object as `custom.<key>`, for the editor of its records."""
    return {CUSTOM + one.key: rule_of(one) for one in queries.fields_of(session, object)}


def rule_of(custom: CustomField) -> Rule:
    """The rule of one field: what it accepts; a required one is never emptied."""
    shape, is_required = shape_of(custom), custom.required

    def clean(value: object) -> Json:
        stored = accepted(shape, value)
        if stored is None and is_required:
            raise Invalid("is missing", help="This field is required.")
        return stored

    return Rule(clean, custom.label)


def _cleaned(rule: Rule, name: str, value: object) -> Json:
    try:
        stored: Json = rule.clean(value)
    except Invalid as error:
        raise Invalid(f"{rule.label}: {error.message}.", help=error.help, field=name) from error
    return stored


def _known(rules: Mapping[str, Rule]) -> str:
    names = ", ".join(name.removeprefix(CUSTOM) for name in rules)
    return f"Known: {names}." if names else "An admin adds fields on the page Fields."


# What admins do


def add(session: Session, object: str, values: Mapping[str, Any]) -> CustomField:
    """Add a field to an object; its key is made from the label when none is given.

    Refuses an unknown object or kind, a key that is taken, and limits, patterns or defaults that cannot be.
    """
    if object not in OBJECTS:
        raise Invalid(f"There is no object “{object}”.", help="One of: " + ", ".join(OBJECTS) + ".", field="object")
    there = queries.fields_of(session, object, archived=True)
    if len(there) >= MOST_FIELDS:
        raise Invalid(f"{OBJECTS[object]} have {MOST_FIELDS} fields already.", help="Delete one that is not used.")
    label = _label(values.get("label"))
    key = str(values.get("key") or "").strip() or key_of(label)
    if not KEY.fullmatch(key):
        raise Invalid(
            f"“{key}” cannot be a key.", help="Small letters, digits and _, beginning with a letter.", field="key"
        )
    if any(one.key == key for one in there):
        raise Conflict(f"{OBJECTS[object]} have a field “{key}” already.", help="Choose another key.", field="key")
    if not values.get("kind"):
        raise Invalid("The field has no kind.", help="One of: " + ", ".join(FieldKind) + ".", field="kind")
    latest = max((one.position for one in there), default=0)
    custom = CustomField(object=object, key=key, kind=FieldKind.TEXT, position=latest + 1, choices=[], required=False)
    custom.searchable = custom.archived = False
    _write(custom, {name: value for name, value in values.items() if name in CHANGEABLE} | {"label": label})
    session.add(custom)
    session.flush()
    session.refresh(custom)
    return custom


def change(session: Session, field_id: UUID, base_rev: int, values: Mapping[str, Any]) -> CustomField:
    """Change a field that was seen at a revision.

    Refuses what would lose values: another kind while rows hold some, and a choice taken away that stands somewhere.
    """
    custom = find(session, field_id)
    require_revision(custom.label, custom.id, custom.rev, base_rev)
    unknown = next((name for name in values if name not in CHANGEABLE), None)
    if unknown is not None:
        raise Invalid(f"“{unknown}” of a field cannot be changed.", help="Add another field instead.", field=unknown)
    if "kind" in values and values["kind"] != custom.kind:
        _refuse_other_kind(session, custom, str(values["kind"]))
    if "choices" in values:
        gone = {one["value"] for one in custom.choices} - {one.value for one in choices_of(values["choices"])}
        for value in sorted(gone):
            if count := queries.in_use(session, custom.object, custom.key, value):
                raise FieldInUse(
                    f"{custom.label}: “{value}” stands in {count:,} rows.",
                    help="Archive the choice instead: it is not offered any more, and stays where it stands.",
                    field="choices",
                )
    _write(custom, values)
    session.flush()
    session.refresh(custom)
    return custom


def delete(session: Session, field_id: UUID, base_rev: int) -> None:
    """Take a field away. Refuses one that holds values; archiving it keeps them."""
    custom = find(session, field_id)
    require_revision(custom.label, custom.id, custom.rev, base_rev)
    if count := queries.in_use(session, custom.object, custom.key):
        raise FieldInUse(
            f"{custom.label} holds a value in {count:,} rows.",
            help="Archive the field instead: it is not shown any more, and its values stay.",
        )
    custom.deleted_at = clock.now()
    session.flush()


def find(session: Session, field_id: UUID) -> CustomField:
    """A field, locked for a change."""
    statement = select(CustomField).where(CustomField.id == field_id, CustomField.deleted_at.is_(None))
    custom = session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if custom is None:
        raise NotFound("There is no such field.", id=str(field_id))
    return custom


def set_picklist(session: Session, name: str, entries: Sequence[Mapping[str, Any]]) -> Picklist:
    """Set the entries of a pick list; makes it when it is new. Refuses the same value twice."""
    if not KEY.fullmatch(name):
        raise Invalid(f"“{name}” cannot be the name of a pick list.", help="Small letters, digits and _.", field="name")
    values = [{"value": one.value, "label": one.label} for one in choices_of(entries)]
    if not values:
        raise Invalid("A pick list needs an entry.", field="values")
    found = session.scalars(select(Picklist).where(Picklist.name == name).with_for_update()).one_or_none()
    if found is None:
        found = Picklist(name=name, values=values)
        session.add(found)
    elif found.values != values or found.deleted_at is not None:
        found.values, found.deleted_at = values, None
    session.flush()
    return found


def key_of(label: str) -> str:
    """A key made from a label: `Fläche (m²)` becomes `flache_m2`."""
    plain_label = "".join(sign for sign in normalize("NFKD", label.casefold()) if not combining(sign))
    made = re.sub(r"[^a-z0-9]+", "_", plain_label).strip("_")[:40]
    return made if made[:1].isalpha() else f"f_{made}"[:40]


def choices_of(given: Any) -> list[Choice]:
    """Choices as somebody gives them: objects, or lines of `value | label`. Refuses one twice and too many."""
    lines = given.splitlines() if isinstance(given, str) else given or ()
    found: list[Choice] = []
    for line in lines:
        if isinstance(line, Mapping):
            value, label = str(line.get("value") or ""), str(line.get("label") or "")
            archived = bool(line.get("archived"))
        else:
            written = str(line).strip()
            archived = written.startswith("~")
            value, mark, label = (part.strip() for part in written.removeprefix("~").partition("|"))
            value, label = (value, label) if mark else (key_of(value) if value else "", value)
        value, label = value.strip(), plain(label, 200) or value.strip()
        if not value:
            continue
        if len(value) > 60 or "," in value or '"' in value:
            raise Invalid(f"“{value[:60]}” cannot be a choice.", help="At most 60 letters, no comma.", field="choices")
        found.append(Choice(value, label, archived))
    values = [one.value.casefold() for one in found]
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        raise Invalid(f"The choice “{twice}” is there twice.", help="Give each its own value.", field="choices")
    if len(found) > MOST_CHOICES:
        raise Invalid(f"{len(found)} choices are too many.", help=f"At most {MOST_CHOICES} fit.", field="choices")
    return found


def _label(value: object) -> str:
    label = plain(value, 120)
    if label is None:
        raise Invalid("The field has no name.", help="Say how people call it.", field="label")
    return label


def _refuse_other_kind(session: Session, custom: CustomField, kind: str) -> None:
    if kind not in list(FieldKind):
        raise Invalid(f"There is no kind “{kind}”.", help="One of: " + ", ".join(FieldKind) + ".", field="kind")
    if (FieldKind(custom.kind), FieldKind(kind)) in WIDER:
        return
    if count := queries.in_use(session, custom.object, custom.key):
        raise FieldInUse(
            f"{custom.label} holds a {custom.kind} in {count:,} rows; they would be lost as {kind}.",
            help="Archive the field and add another one; its values stay.",
            field="kind",
        )


def _write(custom: CustomField, values: Mapping[str, Any]) -> None:
    """Set values of a field, then look at it as a whole."""
    for name, value in values.items():
        setattr(custom, name, CLEAN.get(name, lambda one: one)(value))
    kind = FieldKind(custom.kind)
    if kind in (FieldKind.CHOICE, FieldKind.CHOICES):
        if not custom.choices:
            raise Invalid(f"{custom.label}: there is nothing to choose.", help="Give choices.", field="choices")
    elif custom.choices:
        custom.choices = []
    if custom.minimum is not None and custom.maximum is not None and custom.minimum > custom.maximum:
        raise Invalid("The least value lies above the greatest.", help="Swap the two.", field="minimum")
    if kind == FieldKind.MONEY and custom.unit:
        custom.unit = currency(custom.unit)
    if custom.default is not None:
        try:
            custom.default = accepted(shape_of(custom), custom.default)
        except Invalid as error:
            raise Invalid(f"Default: {error.message}.", help=error.help, field="default") from error


def _kind(value: object) -> str:
    if value not in list(FieldKind):
        raise Invalid(f"There is no kind “{value}”.", help="One of: " + ", ".join(FieldKind) + ".", field="kind")
    return str(value)


def _limit(value: object) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        limit = Decimal(str(value))
    except InvalidOperation as error:
        raise Invalid(f"“{plain(value, 100)}” is not a number.", field="minimum") from error
    if not limit.is_finite():
        raise Invalid(f"{limit} is no limit.", field="minimum")
    return limit


def _pattern(value: object) -> str | None:
    written = plain(value, 200)
    if written is None:
        return None
    try:
        re.compile(written)
    except re.error as error:
        raise Invalid(
            f"The pattern is not understood: {error}.", help="E.g. [A-Z]{2}-[0-9]+", field="pattern"
        ) from error
    if re.search(r"[+*}]\)?[+*{]|\([^)]*[+*][^)]*\)[+*{]", written):
        raise Invalid("The pattern repeats a repetition.", help="Write it without, e.g. [a-z]+.", field="pattern")
    return written


CLEAN: Mapping[str, Any] = {
    "label": _label,
    "kind": _kind,
    "section": lambda value: plain(value, 120),
    "help": lambda value: plain(value, 500),
    "unit": lambda value: plain(value, 20),
    "minimum": _limit,
    "maximum": _limit,
    "pattern": _pattern,
    "position": lambda value: int(value or 0),
    "choices": lambda value: [
        {"value": one.value, "label": one.label} | ({"archived": True} if one.archived else {})
        for one in choices_of(value)
    ],
    "default": lambda value: None if value in ("", []) else value,
}
"""How each property of a field is read."""
