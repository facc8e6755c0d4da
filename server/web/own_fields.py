"""The company's own fields in forms: what a form sends of them, for every room's page."""

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.datastructures import FormData

from server.fields.models import CustomField, FieldKind
from server.fields.values import Shape
from server.web.forms import text

PREFIX = "custom."


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
