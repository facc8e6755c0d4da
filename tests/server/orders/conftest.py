"""The accounts' small company with a catalogue, and a customer in Liechtenstein."""

from typing import Any

import pytest

from server.accounts.models import Account
from tests.server.products.conftest import (
    ada,
    admin_client,
    east,
    make_account,
    make_product,
    otto,
    retail,
    rita,
    scope,
    standard,
    west,
)

__all__ = [
    "ada", "admin_client", "east", "make_account", "make_product", "otto", "retail", "rita", "scope", "standard",
    "west",
]  # fmt: skip


@pytest.fixture
def amann(west: Any, make_account: Any) -> Account:
    """A customer in Rita's territory."""
    made: Account = make_account("Amann", (9.2, 47.1), country="LI", city="Vaduz", account_class="A")
    return made
