"""What each field of a deal accepts: one rule for forms, API and jobs."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from server.accounts.values import Rule, cleaned, currency, day, identity, money, plain, spelled, tags, text
from server.kit.errors import Invalid
from server.opportunities.models import Category
from server.products.values import between
from server.records.merging import Json, Rules

__all__ = ["DEAL", "DEAL_RULES", "REQUIRABLE", "Rule", "choice_of", "cleaned", "percent", "share", "wire"]


def name(value: object) -> str:
    """A name that cannot be empty."""
    written = plain(value, 300)
    if written is None:
        raise Invalid("is missing", help="Say in a few words what it is about.")
    return written


def needed(rule: Callable[[object], Any]) -> Callable[[object], Any]:
    """The same rule for a field that cannot be empty."""

    def checked(value: object) -> Any:
        found = rule(value)
        if found is None:
            raise Invalid("is missing")
        return found

    return checked


share = between("0", "1", 3)
"""A rule for a share from 0 to 1."""


def percent(value: object) -> Decimal | None:
    """The same share as people write it, from 0 to 100 with one decimal."""
    written = between("0", "100", 1)(value)
    return None if written is None else written / 100


def choice_of(kind: type[StrEnum]) -> Callable[[object], str | None]:
    """A rule for one of a few values."""

    def rule(value: object) -> str | None:
        written = plain(value, 100)
        if written is None:
            return None
        if written not in set(kind):
            raise Invalid(f"“{written}” is not known", help="One of: " + ", ".join(kind) + ".")
        return written

    return rule


def custom(value: object) -> dict[str, Any]:
    """Fields of the company's own."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Invalid("needs names with values")
    return dict(value)


DEAL: dict[str, Rule] = {
    "number": Rule(text(100), "Number"),
    "name": Rule(name, "Name"),
    "account_id": Rule(needed(identity), "Account"),
    "site_id": Rule(identity, "Site"),
    "contact_id": Rule(identity, "Contact"),
    "owner_id": Rule(identity, "Owner"),
    "amount": Rule(money, "Amount"),
    "currency": Rule(currency, "Currency"),
    "close_on": Rule(needed(day), "Expected close"),
    "probability": Rule(share, "Probability"),
    "category": Rule(choice_of(Category), "Forecast category"),
    "next_step": Rule(text(500), "Next step"),
    "next_step_on": Rule(day, "Next step on"),
    "competitors": Rule(tags, "Competitors"),
    "source": Rule(text(100), "Source"),
    "reason": Rule(text(100), "Reason"),
    "note": Rule(text(20_000, lines=True), "Note"),
    "custom": Rule(custom, "Own fields"),
}
"""The fields of a deal that people edit; its stage has a verb of its own."""

REQUIRABLE = (
    "amount",
    "contact_id",
    "site_id",
    "next_step",
    "next_step_on",
    "competitors",
    "source",
    "number",
    "note",
)
"""Fields that a stage may require."""

DEAL_RULES = Rules(groups=(frozenset({"amount", "currency"}), frozenset({"next_step", "next_step_on"})))
"""How edits of two people merge."""


def wire(field: str, value: object) -> Json:
    """A field's value as it travels and as it is compared: amounts as decimal text, ids and days as text."""
    if value is None:
        return None
    if field == "amount":
        return spelled(value)
    if field == "probability":
        return str(Decimal(str(value)).quantize(Decimal("0.001")))
    if isinstance(value, bool | int | float | str | dict):
        return value
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    if isinstance(value, date | UUID):
        return str(value)
    return str(value)
