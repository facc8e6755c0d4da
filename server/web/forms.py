"""What a form sends, read with care: texts without blanks around them, numbers, nothing unexpected."""

from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData

from server.kit.errors import Invalid


async def sent_form(request: Request) -> FormData:
    """The fields of the form that was sent."""
    return await request.form()


Sent = Annotated[FormData, Depends(sent_form)]
"""A handler's form: `def handler(sent: Sent)`."""


def text(sent: FormData, name: str) -> str | None:
    """A field's text; None when it is empty."""
    value = sent.get(name)
    return value.strip() or None if isinstance(value, str) else None


def read[T](sent: FormData, name: str, kind: Callable[[str], T]) -> T | None:
    """A field as an id, a day, a whole number, one of a few words; None when it is empty, refused when it is none."""
    written = text(sent, name)
    return None if written is None else fitting(name, written, kind)


def needed[T](sent: FormData, name: str, kind: Callable[[str], T]) -> T:
    """The same of a field that a form never leaves empty; refuses what came without it, and names it."""
    written = text(sent, name)
    if written is None:
        raise Invalid(f"The form came without “{name}”.", help="Open the page anew and fill it in.", field=name)
    return fitting(name, written, kind)


def several[T](sent: FormData, name: str, kind: Callable[[str], T]) -> list[T]:
    """Every value of a field that can be ticked several times."""
    return [fitting(name, str(one), kind) for one in sent.getlist(name)]


def fitting[T](name: str, written: str, kind: Callable[[str], T]) -> T:
    """What somebody sent for a field; refuses what does not fit, and names the field."""
    try:
        return kind(written)
    except ValueError as error:
        said = f"“{written[:60]}” is nothing that “{name}” can be."
        raise Invalid(said, help="Open the page anew and choose again.", field=name) from error


def id_of(written: str, name: str) -> UUID | None:
    """An id that came as a parameter; None when it is empty, refused when it is none."""
    return fitting(name, written.strip(), UUID) if written.strip() else None


def id_in(written: object) -> UUID | None:
    """An id, for a form that is shown again as it was sent; None for what is none."""
    try:
        return UUID(str(written)) if written else None
    except ValueError:
        return None


def checked[T: BaseModel](shape: type[T], values: Mapping[str, Any]) -> T:
    """What a form sent in the API's own shape; refuses what does not fit and names the field."""
    try:
        return shape.model_validate(values)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        raise Invalid(f"{first['msg']}.", field=str(first["loc"][0])) from wrong


class Given(dict[str, str | None]):
    """Some fields of a form; one that did not come is empty for whoever asks, such as the page that shows it again."""

    def __missing__(self, name: str) -> str:
        return ""


def given(sent: FormData, names: Iterable[str]) -> Given:
    """Some fields; empty ones are None, fields that the form does not have are left out."""
    return Given({name: text(sent, name) for name in names if name in sent})


def number(sent: FormData, name: str) -> float | None:
    """A number, with a point or a comma; refuses what is none."""
    written = text(sent, name)
    if written is None:
        return None
    try:
        found = float(written.replace(",", ".").replace("’", "").replace(" ", ""))
        if not isfinite(found):
            raise ValueError(written)
    except ValueError as error:
        raise Invalid(f"“{written}” is not a number.", field=name) from error
    return found
