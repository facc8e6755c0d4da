"""What leads can be filtered by: in lists, on the map, in exports, and in the rules for points and owners."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Date, Numeric, Text, and_, cast, false, func, literal, or_, select
from sqlalchemy.orm import aliased

from geo.types import Grade
from server.accounts.models import PinState
from server.auth.models import User
from server.kit.filtering import Field, Kind
from server.leads.models import Lead, LeadSignal, LeadSource, LeadState, LeadTraits, LostReason
from server.territories.models import Territory


def of_owner(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The owner fulfils it."""
    return select(User.id).where(User.id == Lead.owner_id, condition).correlate(Lead).exists()


def of_territory(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The territory fulfils it."""
    return select(Territory.id).where(Territory.id == Lead.territory_id, condition).correlate(Lead).exists()


PHONE = func.unnest(Lead.phones).table_valued("phone").render_derived(name="dialled")
EMAIL = func.unnest(Lead.emails).table_valued("email").render_derived(name="written")


def of_list(rows: Any) -> Callable[[ColumnElement[bool]], ColumnElement[bool]]:
    """Some entry of a list fulfils it."""
    return lambda condition: select(literal(1)).select_from(rows).where(condition).correlate(Lead).exists()


def trait(name: str) -> Any:
    """A number that was measured around the lead when it came in."""
    value = cast(LeadTraits.values[name].astext, Numeric)
    return select(value).where(LeadTraits.lead_id == Lead.id).correlate(Lead).scalar_subquery()


ONE = aliased(Lead)
FAMILY = select(ONE.id).where(or_(ONE.id == Lead.id, ONE.merged_into == Lead.id)).correlate(Lead)
SIGNALS = select(func.count()).where(LeadSignal.lead_id.in_(FAMILY)).correlate(Lead).scalar_subquery()
"""What happened to a lead and to those that were merged into it, as its page shows."""


def fields() -> Mapping[str, Field]:
    """The fields by name."""

    def field(name: str, kind: Kind, column: Any, label: str, choices: tuple[str, ...] = (), **more: Any) -> Field:
        return Field(name, kind, column, label, choices, **more)

    declared = (
        field("name", Kind.TEXT, func.coalesce(Lead.company, Lead.person), "Name"),
        field("company", Kind.TEXT, Lead.company, "Company"),
        field("person", Kind.TEXT, Lead.person, "Person"),
        field("number", Kind.TEXT, Lead.number, "Number"),
        field("state", Kind.CHOICE, Lead.state, "State", tuple(LeadState)),
        field("source", Kind.CHOICE, Lead.source, "Source", tuple(LeadSource)),
        field("reason", Kind.CHOICE, Lead.reason, "Reason", tuple(LostReason)),
        field("campaign", Kind.TEXT, Lead.campaign, "Campaign"),
        field("utm_source", Kind.TEXT, Lead.utm["utm_source"].astext, "UTM source"),
        field("utm_medium", Kind.TEXT, Lead.utm["utm_medium"].astext, "UTM medium"),
        field("utm_campaign", Kind.TEXT, Lead.utm["utm_campaign"].astext, "UTM campaign"),
        field("referrer", Kind.TEXT, Lead.referrer, "Referrer"),
        field("owner", Kind.TEXT, User.login, "Owner's login", exists=of_owner),
        field("has_owner", Kind.FLAG, Lead.owner_id.is_not(None), "Has an owner"),
        field("territory", Kind.TEXT, Territory.name, "Territory", exists=of_territory),
        field("street", Kind.TEXT, Lead.street, "Street"),
        field("postcode", Kind.TEXT, Lead.postcode, "Postcode"),
        field("city", Kind.TEXT, Lead.city, "City"),
        field("country", Kind.TEXT, Lead.country, "Country"),
        field("phone", Kind.TEXT, PHONE.c.phone, "Phone", exists=of_list(PHONE)),
        field("email", Kind.TEXT, EMAIL.c.email, "E-mail", exists=of_list(EMAIL)),
        field("message", Kind.TEXT, Lead.message, "Message"),
        field("note", Kind.TEXT, Lead.note, "Note"),
        field("consented", Kind.FLAG, Lead.consented_at.is_not(None), "Has agreed to be contacted"),
        field("value", Kind.NUMBER, Lead.expected_value, "Expected value a year"),
        field("score", Kind.NUMBER, Lead.score, "Score"),
        field("signals", Kind.NUMBER, SIGNALS, "Number of signals"),
        field("created", Kind.DATE, cast(Lead.created_at, Date), "Created"),
        field("decided", Kind.DATE, cast(Lead.decided_at, Date), "Decided"),
        field("has_pin", Kind.FLAG, Lead.pin.is_not(None), "Has a pin"),
        field("pin", Kind.CHOICE, Lead.pin_state, "State of the pin", tuple(PinState)),
        field("grade", Kind.CHOICE, Lead.grade, "Grade of the pin", tuple(Grade)),
        field("drive_min", Kind.NUMBER, trait("drive_min"), "Minutes of driving from the rep's base"),
        field("customers_2km", Kind.NUMBER, trait("customers_2km"), "Customers within 2 km"),
        field("customers_10km", Kind.NUMBER, trait("customers_10km"), "Customers within 10 km"),
        field("prospects_1km", Kind.NUMBER, trait("prospects_1km"), "Firms within 1 km"),
    )
    return {one.name: one for one in declared}


def matches(words: str, hidden: frozenset[str] = frozenset()) -> ColumnElement[bool]:
    """Every word is found in the lead: accents do not matter, small slips are forgiven."""
    return and_(*(found(word, hidden) for word in words.split()[:8]))


def found(word: str, hidden: frozenset[str] = frozenset()) -> ColumnElement[bool]:
    """One word is the number, or is found in the names, the address, a phone number or a mail address."""
    said = within(word, hidden)
    return said if "number" in hidden else or_(said, Lead.number == word)


def within(word: str, hidden: frozenset[str]) -> ColumnElement[bool]:
    """One word is found in the names, the address, a phone number or a mail address."""
    digits = "".join(character for character in word if character.isdigit())
    if len(digits) >= 5 and not any(map(str.isalpha, word)):
        if "phones" in hidden:
            return false()
        return func.array_to_string(Lead.phones_e164, " ").like(f"%{digits.lstrip('0')}%")
    if "@" in word:
        if "emails" in hidden:
            return false()
        return func.array_to_string(Lead.emails, " ", type_=Text).contains(word.lower(), autoescape=True)
    folded = func.rtrim(func.search_words(word, None, None, None))
    like = func.concat("%", func.regexp_replace(folded, r"([\\%_])", r"\\\1", "g"), "%")
    text = func.search_words(Lead.company, Lead.person, Lead.street, Lead.city)
    exact: ColumnElement[bool] = text.like(like)
    return exact | folded.op("<%")(text) if len(word) > 3 and not word.isdigit() else exact
