"""Two people who change the catalogue at the same moment."""

from typing import Any
from uuid import UUID

import pytest

from server.kit.database import transaction
from server.products import service
from server.products.models import PriceList, Product, ProductCategory
from server.products.service import Circular
from tests.server.at_once import overlapping


@pytest.fixture
def world(empty_database: Any) -> dict[str, UUID]:
    """Two branches, two lists and two products, really stored: ids by name."""
    with transaction() as session:
        found = {name: service.category(session, name).id for name in ("Drinks", "Hot")}
        for name in ("Retail", "Trade"):
            found[name] = service.create_list(session, {"name": name, "currency": "EUR"}).id
        for name in ("Coffee", "Tea"):
            found[name] = service.create(session, {"number": name, "name": name}).id
    return found


def moved(world: dict[str, UUID], kind: type[Any], one: str, other: str) -> Any:
    """A change that hangs one below the other."""

    def change(session: Any) -> None:
        if kind is ProductCategory:
            service.move_category(session, world[one], world[other])
            return
        edit, field = (service.edit_list, "base_id") if kind is PriceList else (service.edit, "successor_id")
        edit(session, world[one], session.get_one(kind, world[one]).rev, {field: str(world[other])})

    return change


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [(ProductCategory, "Drinks", "Hot"), (PriceList, "Retail", "Trade"), (Product, "Coffee", "Tea")],
)
def test_two_changes_at_once_make_no_circle(world: dict[str, UUID], kind: type[Any], one: str, other: str) -> None:
    came = overlapping(moved(world, kind, one, other), moved(world, kind, other, one))
    assert isinstance(came, Circular)
