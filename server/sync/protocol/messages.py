"""What every part of a message is made of."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints


def moment(text: str) -> datetime:
    """An instant out of its text; refuses one without an offset from UTC."""
    value = datetime.fromisoformat(text)
    if value.utcoffset() is None:
        raise ValueError("a time needs its offset from UTC")
    return value


def checked_moment(text: str) -> str:
    """The text of an instant, as it came."""
    moment(text)
    return text


type Instant = Annotated[str, StringConstraints(max_length=40), AfterValidator(checked_moment)]
"""RFC 3339 with an offset."""
type Small = Annotated[str, Field(max_length=200)]


def legible[J](value: J) -> J:
    """A JSON value without NUL characters, which the database does not take: in their place stands `�`."""
    found: Any = value
    match value:
        case str():
            found = value.replace("\x00", "�")
        case list():
            found = [legible(one) for one in value]
        case dict():
            found = {legible(key): legible(one) for key, one in value.items()}
    readable: J = found
    return readable


class Message(BaseModel):
    """A part of a message."""

    model_config = ConfigDict(extra="ignore")


class Reason(Message):
    """A sentence of a refusal as a code that never changes, with the values of its gaps: for the phone to say. Where it
    tells what a field holds, `name` is the field's and `json` that value as it is stored."""

    code: str
    values: dict[str, str]


class OpError(Message):
    """Why an op was refused, and what to do: in English, and where all of it has codes, in those."""

    code: str
    msg: str
    help: str | None = None
    reasons: list[Reason] | None = None
    retry: bool | None = None
    after_s: int | None = None
    ref: str | None = None
