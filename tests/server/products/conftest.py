"""The same small company as the accounts', with a catalogue."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from server.products import service
from server.products.models import PriceList, Product, TaxClass
from server.products.queries import Customer
from tests.server.accounts.conftest import ada, admin_client, east, make_account, otto, rita, scope, west

__all__ = ["ada", "admin_client", "east", "make_account", "otto", "rita", "scope", "west"]

type MakeProduct = Callable[..., Product]


@pytest.fixture
def standard(session: Session) -> TaxClass:
    """The usual tax: 8.1 % in Liechtenstein, 19 % in Germany, none elsewhere."""
    made = service.tax_class(session, "standard")
    for country, percent in (("LI", "8.1"), ("DE", "19"), ("", "0")):
        service.set_rate(session, made.id, country, date(2024, 1, 1), percent)
    return made


@pytest.fixture
def retail(session: Session) -> PriceList:
    """Everybody's price list, in francs."""
    made = service.create_list(session, {"name": "Retail", "currency": "CHF"})
    service.use_list(session, made.id, [Customer()])
    return made


@pytest.fixture
def make_product(session: Session, standard: TaxClass, retail: PriceList) -> MakeProduct:
    """Create products: `make_product("P-1", "Coffee", price="12.50")`."""

    def make(number: str, name: str, price: str | None = None, **more: Any) -> Product:
        product = service.create(session, {"number": number, "name": name, "tax_class_id": standard.id, **more})
        if price is not None:
            service.set_price(session, retail.id, product.id, price)
        return product

    return make
