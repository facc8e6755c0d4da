"""What each field of a lead accepts: one rule for forms, API, phones and imports."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from server.accounts.values import Rule as Rule
from server.accounts.values import cleaned as cleaned
from server.accounts.values import country, currency, email, identity, money, phone_e164, plain, spelled, text, website
from server.kit.errors import Invalid
from server.records.merging import Json, Rules

UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
MOST_NUMBERS = 10
LONGEST_TEXT = 20_000


def several(one: Callable[[object], str | None]) -> Callable[[object], list[str]]:
    """A rule for a few values of a kind, each once; text is split at commas and semicolons."""

    def rule(value: object) -> list[str]:
        parts = value.replace(";", ",").split(",") if isinstance(value, str) else value
        if parts is None:
            return []
        if not isinstance(parts, Iterable):
            raise Invalid("needs a list")
        found = list(dict.fromkeys(cleaned_one for part in parts if (cleaned_one := one(part))))
        if len(found) > MOST_NUMBERS:
            raise Invalid(f"{len(found)} are too many", help=f"At most {MOST_NUMBERS} fit.")
        return found

    return rule


def lower_email(value: object) -> str | None:
    """An e-mail address in lower case, so that it is found again."""
    written = email(value)
    return written.lower() if written else None


def utm(value: object) -> dict[str, str]:
    """Where a click came from: the five UTM parameters."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Invalid("needs names and values", help="For example utm_source and utm_campaign.")
    return {name: found for name in UTM if (found := plain(value.get(name), 300))}


def utm_of(address: str | None) -> dict[str, str]:
    """The UTM parameters in a web address."""
    try:
        return utm(dict(parse_qsl(urlsplit(address or "").query)))
    except ValueError:
        return {}


LEAD: dict[str, Rule] = {
    "number": Rule(text(100), "Number"),
    "company": Rule(text(300), "Company"),
    "person": Rule(text(300), "Person"),
    "phones": Rule(several(text(60)), "Phone"),
    "emails": Rule(several(lower_email), "E-mail"),
    "website": Rule(website, "Website"),
    "street": Rule(text(300), "Street"),
    "postcode": Rule(text(20), "Postcode"),
    "city": Rule(text(200), "City"),
    "country": Rule(country, "Country"),
    "campaign": Rule(text(200), "Campaign"),
    "utm": Rule(utm, "UTM"),
    "referrer": Rule(text(2000), "Referrer"),
    "message": Rule(text(LONGEST_TEXT, lines=True), "Message"),
    "expected_value": Rule(money, "Expected value"),
    "currency": Rule(currency, "Currency"),
    "note": Rule(text(LONGEST_TEXT, lines=True), "Note"),
    "owner_id": Rule(identity, "Owner"),
}
"""The fields of a lead that people edit; its pin, state and owner have verbs of their own as well."""

ADDRESS = ("street", "postcode", "city", "country")
LEAD_RULES = Rules(groups=(frozenset(ADDRESS), frozenset({"expected_value", "currency"})))
"""How edits of two people merge."""


def phones_e164(written: Iterable[str], region: str | None) -> list[str]:
    """The numbers that are understood, as they are dialled."""
    return list(dict.fromkeys(number for one in written if (number := phone_e164(one, region))))


def wire(name: str, value: object) -> Json:
    """A field's value as it travels and as it is compared."""
    if value is None:
        return None
    if name == "expected_value":
        return spelled(value)
    if isinstance(value, Mapping):
        return {str(key): str(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    return value if isinstance(value, bool | int | float | str) else str(value)


def new_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """The checked values of a new lead, without what is empty. Refuses one that nobody could name."""
    values = {name: cleaned(LEAD, name, value) for name, value in given.items()}
    found = {name: value for name, value in values.items() if value not in (None, [], {})}
    if not found.get("company") and not found.get("person"):
        raise Invalid("Company: is missing.", help="Name the company or the person.", field="company")
    return found
