"""What each field of an account and of a site accepts: one rule for forms, API, phones and imports."""

from collections.abc import Callable, Iterable
from functools import lru_cache

from geo.geocode.vocabulary import fold, vocabulary, words
from server.accounts.models import AccountClass, Channel, DayPart, Status, Weekday
from server.accounts.opening_hours import HoursNotUnderstood, in_syntax, parse_hours
from server.kit.errors import Invalid
from server.records.merging import Json, Rules
from server.records.values import (
    EMAIL,
    MAX_MONEY,
    WEBSITE,
    Rule,
    cleaned,
    currency,
    day,
    email,
    flag,
    identity,
    language,
    money,
    phone_e164,
    plain,
    spelled,
    tags,
    text,
    website,
    whole,
    worded,
)
from server.regions.firms import kind_of

__all__ = [
    "ACCOUNT", "ACCOUNT_RULES", "ADDRESS", "AMOUNTS", "EMAIL", "MAX_MONEY", "SITE", "SITE_RULES", "WEBSITE", "Rule",
    "cleaned", "country", "country_code", "currency", "day", "email", "firm", "flag", "identity", "money", "phone_e164",
    "plain", "required", "spelled", "tags", "text", "website", "whole", "wire",
]  # fmt: skip


def required(value: object) -> str:
    """A name: text that cannot be empty."""
    name = plain(worded(value), 300)
    if name is None:
        raise Invalid("is missing", help="Every account needs a name.")
    return name


def choice(kind: type[AccountClass | Status | Channel | DayPart]) -> Callable[[object], str | None]:
    """A rule for one of a few values."""
    by_name = {str(member).lower(): str(member) for member in kind}

    def rule(value: object) -> str | None:
        written = plain(value, 100)
        if written is None:
            return None
        if written.lower() not in by_name:
            raise Invalid(f"“{written}” is not known", help="One of: " + ", ".join(by_name.values()) + ".")
        return by_name[written.lower()]

    return rule


def weekdays(value: object) -> list[str]:
    """Days of the week, each once, in their order."""
    parts = value.split(",") if isinstance(value, str) else value
    if parts is None:
        return []
    if not isinstance(parts, Iterable):
        raise Invalid("needs a list of days")
    wanted = {str(part).strip().lower()[:2] for part in parts if str(part).strip()}
    unknown = sorted(wanted - {str(one) for one in Weekday})
    if unknown:
        raise Invalid(f"“{unknown[0]}” is no day", help="Days are " + ", ".join(Weekday) + ".")
    return [str(one) for one in Weekday if one in wanted]


def country(value: object) -> str | None:
    """Two capital letters where the country's name or code is understood in any language, else as written."""
    written = plain(value, 100)
    return None if written is None else country_code(written) or written


@lru_cache(maxsize=1000)
def country_code(written: str) -> str | None:
    """The ISO 3166-1 code of a country's name or code, of its official name too (Fürstentum Liechtenstein)."""
    table, said = vocabulary(), words(fold(written))
    name = "".join(word for word in said if word not in table.state and word not in table.little)
    return table.countries.get("".join(said)) or table.countries.get(name)


def stay(value: object) -> int | None:
    """How long a visit takes, in seconds; None: as usual."""
    lasts = whole(0, 10**9)(value)
    if lasts is not None and not 60 <= lasts <= 86_400:
        raise Invalid("a visit takes 1 to 1,440 minutes", help="Write how long a visit usually takes.")
    return lasts


def opening_hours(value: object) -> str | None:
    """Opening hours in OpenStreetMap's syntax, also from German days; refuses what nobody could plan by."""
    written = plain(value, 500)
    if written is not None:
        written = in_syntax(written)
        try:
            parse_hours(written)
        except HoursNotUnderstood as error:
            raise Invalid(error.message, help=error.help) from error
    return written


def firm(value: object) -> str | None:
    """A kind of firm as prospects have it (`shop=bakery`), from such a tag or from a word for it."""
    written = plain(value, 100)
    if written is None:
        return None
    kind = kind_of(written)
    if kind is None:
        raise Invalid(
            f"“{written}” is no kind of firm that is known",
            help="Write a word such as Bakery, or a tag of OpenStreetMap such as shop=bakery.",
        )
    return kind


ACCOUNT: dict[str, Rule] = {
    "number": Rule(text(100), "Number"),
    "name": Rule(required, "Name"),
    "account_class": Rule(choice(AccountClass), "Class"),
    "status": Rule(choice(Status), "Status"),
    "kind": Rule(firm, "Kind of firm"),
    "owner_id": Rule(identity, "Owner"),
    "interval_days": Rule(whole(1, 3650), "Call interval"),
    "yearly_value": Rule(money, "Yearly value"),
    "yearly_potential": Rule(money, "Yearly potential"),
    "currency": Rule(currency, "Currency"),
    "phone": Rule(text(60), "Phone"),
    "email": Rule(email, "E-mail"),
    "website": Rule(website, "Website"),
    "tags": Rule(tags, "Tags"),
    "note": Rule(text(20_000, lines=True), "Note"),
    "parent_id": Rule(identity, "Parent account"),
    "preferred_days": Rule(weekdays, "Preferred days"),
    "preferred_time": Rule(choice(DayPart), "Preferred time of day"),
    "preferred_channel": Rule(choice(Channel), "Preferred channel"),
    "language": Rule(language, "Language"),
    "preferred_rep_id": Rule(identity, "Preferred rep"),
    "by_appointment": Rule(flag, "By appointment only"),
    "territory_id": Rule(identity, "Territory"),
    "territory_is_fixed": Rule(flag, "Territory assigned by hand"),
}
"""The fields of an account that people edit."""

SITE: dict[str, Rule] = {
    "name": Rule(text(300), "Name"),
    "street": Rule(text(300), "Street"),
    "postcode": Rule(text(20), "Postcode"),
    "city": Rule(text(200), "City"),
    "country": Rule(country, "Country"),
    "opening_hours": Rule(opening_hours, "Opening hours"),
    "service_s": Rule(stay, "Service time"),
}
"""The fields of a site that people edit; its pin has verbs of its own."""

AMOUNTS = ("yearly_value", "yearly_potential")
"""In the account's currency."""

ADDRESS = ("street", "postcode", "city", "country")
"""What a pin follows from."""

ACCOUNT_RULES = Rules(
    groups=(
        frozenset({"yearly_value", "yearly_potential", "currency"}),
        frozenset({"territory_id", "territory_is_fixed"}),
    )
)
SITE_RULES = Rules(take_field=frozenset({"opening_hours"}), groups=(frozenset(ADDRESS),))
"""How edits of two people merge: whoever stood at the door knows the opening hours best."""


def wire(name: str, value: object) -> Json:
    """A field's value as it travels and as it is compared: money as decimal text, ids as text."""
    if value is None:
        return None
    if name in AMOUNTS:
        return spelled(value)
    if isinstance(value, bool | int | float | str | dict):
        return value
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    return str(value)
