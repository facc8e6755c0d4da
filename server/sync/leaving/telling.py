"""What an entry of a phone says, field by field and in words, whether it was judged or not."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.fields import queries as own_fields
from server.fields.models import CustomField
from server.fields.values import as_it_is, figure, in_words, shape_of
from server.products.models import Product
from server.records.merging import Json
from server.sync.pushing.ops import WITH_OWN
from server.sync.schemas import Said

UNTOLD = frozenset(
    {"zone", "lon", "lat", "mime", "size", "sha256", "thumbnail_sha256", "width", "height", "fix", "checkin", "owner"}
)
"""What nobody reads."""


@dataclass(frozen=True)
class Held:
    """What a record holds now."""

    rev: int
    values: Mapping[str, Json]


class Telling:
    """What some entries say: the products and own fields that they name are read once for all."""

    def __init__(self, session: Session, bodies: Collection[Mapping[str, Any]]) -> None:
        named = {product for body in bodies for product in products_of(body)}
        found = session.execute(select(Product.id, Product.name).where(Product.id.in_(named))) if named else ()
        self.products = {product_id: name for product_id, name in found}
        self.own = own_fields.ever(session, WITH_OWN) if bodies else {}

    def content(self, body: Mapping[str, Any], held: Held | None = None) -> list[Said]:
        """What an entry says, field by field; the company's own fields as their definitions say. Beside a change stands
        what its field holds now, as far as that is `held`."""
        said: dict[str, Any] = {}
        match body.get("k"):
            case "patch":
                said = {
                    name: both[1] for name, both in part(body, "f").items() if isinstance(both, list) and len(both) > 1
                }
            case "setadd" | "setdel":
                said = {"added" if body["k"] == "setadd" else "removed": body.get("v")}
            case "create":
                said = {name: value for name, value in part(body, "d").items() if is_told(name)}
        if lines := lines_of(body):
            said["lines"] = "\n".join(line_of(line, self.products) for line in lines)
        entity, found = text_of(body.get("e")), []
        for name, value in said.items():
            is_empty = value in (None, "", [], {})
            if is_empty and body.get("k") != "patch":
                continue
            custom = self.own.get((entity, name))
            text = spoken(custom, value)
            given = None if is_empty else text if isinstance(value, dict) and custom is None else value
            one = Said(field=name, value=text, entity=entity, given=given)
            if held is not None:
                one.now = None if (now := held.values.get(name)) in ("", [], {}) else now
                one.stands = spoken(custom, one.now)
            found.append(one)
        return found


def products_of(body: Mapping[str, Any]) -> set[UUID]:
    """The products that an order names."""
    return {found for line in lines_of(body) if (found := as_uuid(line.get("product_id"))) is not None}


def spoken(custom: CustomField | None, value: Any) -> str:
    """A value in words, one of the company's own fields by its definition."""
    return in_words(shape_of(custom), value) or "" if custom else text_of(value)


def lines_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lines of an order."""
    lines = part(body, "d").get("lines")
    return [one for one in lines if isinstance(one, dict)] if isinstance(lines, list) else []


def line_of(line: Mapping[str, Any], products: Mapping[UUID, str]) -> str:
    """How much of what was ordered."""
    product_id = as_uuid(line.get("product_id"))
    what = products.get(product_id) if product_id else None
    quantity = figure(line.get("quantity"))
    many = text_of(line.get("quantity")) if quantity is None else format(quantity.normalize(), "f")
    return f"{many} × {what or text_of(line.get('text'))}"


def is_told(name: str) -> bool:
    """Whether people read a field."""
    return name not in UNTOLD and not name.endswith("_id")


def text_of(value: Any) -> str:
    """A value in words."""
    match value:
        case None:
            return ""
        case dict():
            return ", ".join(
                f"{key}: {text_of(one)}" for key, one in value.items() if is_told(key) and key != "strokes"
            )
        case list():
            return ", ".join(text_of(one) for one in value)
        case _:
            return as_it_is(value)


def as_uuid(value: object) -> UUID | None:
    """An id, where there is one."""
    try:
        return UUID(str(value))
    except ValueError:
        return None


def part(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A part of a message that may be of any shape: nothing has judged it, or it was refused."""
    found = body.get(name)
    return found if isinstance(found, dict) else {}
