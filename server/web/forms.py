"""What a form sends, read with care: texts without blanks around them, numbers, nothing unexpected."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

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


def checked[T: BaseModel](shape: type[T], values: Mapping[str, Any]) -> T:
    """What a form sent in the API's own shape; refuses what does not fit and names the field."""
    try:
        return shape.model_validate(values)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        raise Invalid(f"{first['msg']}.", field=str(first["loc"][0])) from wrong


def given(sent: FormData, names: Iterable[str]) -> dict[str, str | None]:
    """Some fields; empty ones are None, fields that the form does not have are left out."""
    return {name: text(sent, name) for name in names if name in sent}


def number(sent: FormData, name: str) -> float | None:
    """A number, with a point or a comma; refuses what is none."""
    written = text(sent, name)
    if written is None:
        return None
    try:
        return float(written.replace(",", ".").replace("’", "").replace(" ", ""))
    except ValueError as error:
        raise Invalid(f"“{written}” is not a number.", field=name) from error
