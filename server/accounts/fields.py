"""What accounts can be filtered by, in every list, map, tile and export."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Date,
    Integer,
    ScalarSelect,
    SQLColumnExpression,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session, aliased

from geo.types import Grade
from server.accounts.cadence import TOLERANCE
from server.accounts.cadence_models import Cadence
from server.accounts.models import (
    INTERVALS,
    Account,
    AccountClass,
    AccountGuess,
    Channel,
    DayPart,
    PinState,
    Site,
    Status,
    Weekday,
)
from server.accounts.values import firm
from server.auth.models import User
from server.fields.queries import fields_of_several, filter_field
from server.fields.queries import found as found_in_own
from server.kit.filtering import Field, Kind
from server.regions.firms import every_word
from server.territories.models import Territory


def of_class(whose: ColumnElement[bool]) -> ScalarSelect[int]:
    """The call interval that somebody has set for the account's class."""
    rule = select(Cadence.interval_days).where(Cadence.account_class == Account.account_class, whose)
    return rule.correlate(Account).scalar_subquery()


INTERVAL_DAYS: ColumnElement[int] = func.coalesce(
    Account.interval_days,
    of_class(Cadence.user_id == Account.owner_id),
    of_class(Cadence.user_id.is_(None)),
    case(INTERVALS, value=Account.account_class, else_=None),
)
"""Days between visits: the account's own, else what its owner, the company or Waymark says of its class, else null."""

_GUESSED = select(AccountGuess.kind).where(AccountGuess.account_id == Account.id).correlate(Account)
KIND: ColumnElement[str] = func.coalesce(Account.kind, _GUESSED.scalar_subquery())
"""What kind of firm an account is: as people said, else as the map or its name tells; null where nothing is known."""
KIND_SOURCE: ColumnElement[str] = case(
    (Account.kind.is_not(None), "said"), else_=_GUESSED.with_only_columns(AccountGuess.source).scalar_subquery()
)
"""Who says so: said (people), map (the same firm in the open data), name (a word in its name)."""

LAST_OR_FIRST_DAY = func.coalesce(Account.last_visit_on, cast(Account.created_at, Date))


def overdue_days(today: date | ColumnElement[date]) -> ColumnElement[int]:
    """Days since a visit is due, negative while there is time, null without an interval.

    An account that was never visited is due on the day it was created.
    """
    waits = case((Account.last_visit_on.is_(None), 0), else_=INTERVAL_DAYS)
    since = type_coerce(cast(today, Date) - LAST_OR_FIRST_DAY, Integer)
    return case((INTERVAL_DAYS.is_(None), None), else_=since - waits)


def tolerance() -> ColumnElement[Any]:
    """The share of the interval by which a visit may come late: what the owner, the company or Waymark says."""

    def of(whose: ColumnElement[bool]) -> Any:
        rule = select(Cadence.tolerance).where(Cadence.account_class == Account.account_class, whose)
        return rule.correlate(Account).scalar_subquery()

    return func.coalesce(of(Cadence.user_id == Account.owner_id), of(Cadence.user_id.is_(None)), TOLERANCE)


def in_cycle(day: date | ColumnElement[date], last_visit: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    """Whether the last visit lies within the interval and its tolerance on a day; false without a visit or interval."""
    since = type_coerce(cast(day, Date) - last_visit, Integer)
    return func.coalesce(since <= INTERVAL_DAYS * (1 + tolerance()), False)


def of_sites(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Some site of the account fulfils it."""
    return Account.id.in_(select(Site.account_id).where(Site.deleted_at.is_(None), condition).correlate(None))


def of_owner(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The owner fulfils it."""
    return select(User.id).where(User.id == Account.owner_id, condition).correlate(Account).exists()


def of_preferred_rep(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The rep whom the customer asked for fulfils it."""
    return select(User.id).where(User.id == Account.preferred_rep_id, condition).correlate(Account).exists()


def of_territory(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The territory fulfils it."""
    return select(Territory.id).where(Territory.id == Account.territory_id, condition).correlate(Account).exists()


LOGINS = select(User.login)
NO_TAGS = literal_column("'{}'::text[]", ARRAY(Text))
"""Written out, as the index of accounts that have some says it."""
TAG = func.unnest(Account.tags).table_valued("tag").render_derived(name="tagged")


def of_tags(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Some tag of the account fulfils it."""
    some = select(literal(1)).select_from(TAG).where(condition).correlate(Account).exists()
    return and_(Account.tags != NO_TAGS, some)  # most have none, and taking an array apart costs more than to see that


PREFERRED_DAY = func.unnest(Account.preferred_days).table_valued("day").render_derived(name="preferred")


def of_days(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Some preferred day of the account fulfils it."""
    return select(literal(1)).select_from(PREFERRED_DAY).where(condition).correlate(Account).exists()


Parent = aliased(Account, name="parent")
NAMES = func.unnest(array([Parent.number, Parent.name])).table_valued("name").render_derived(name="parent_name")
PARENT = NAMES.c.name


def of_parent(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The number or the name of the parent fulfils it."""
    named = select(Parent.id).join(NAMES, literal(True)).where(Parent.id == Account.parent_id, condition)
    return named.correlate(Account).exists()


def known(session: Session, today: date) -> Mapping[str, Field]:
    """All fields: those that every company has, and its own."""
    company = fields_of_several(session, ("account", "site"))
    own = {one.name: one for one in (filter_field(custom, Account.custom) for custom in company["account"])}
    for one in (filter_field(custom, Site.custom) for custom in company["site"]):
        own[f"site.{one.name}"] = replace(one, name=f"site.{one.name}", exists=within_sites(one))
    return {**fields(today), **own}


def within_sites(one: Field) -> Callable[[ColumnElement[bool]], ColumnElement[bool]]:
    """Some site of the account fulfils a condition on a site's own field."""
    inner = one.exists
    return lambda condition: of_sites(inner(condition) if inner else condition)


@lru_cache(maxsize=4)
def fields(today: date) -> Mapping[str, Field]:
    """The fields by name."""
    has_pin = select(Site.id).where(Site.account_id == Account.id, Site.deleted_at.is_(None), Site.pin.is_not(None))
    has_pin = has_pin.correlate(Account)

    def field(
        name: str,
        kind: Kind,
        column: Any,
        label: str,
        exists: Callable[[ColumnElement[bool]], ColumnElement[bool]] | None = None,
        choices: tuple[str, ...] = (),
        values: Any = None,
    ) -> Field:
        return Field(name, kind, column, label, choices, exists, values)

    declared = (
        field("number", Kind.TEXT, Account.number, "Number"),
        field("name", Kind.TEXT, Account.name, "Name"),
        field("class", Kind.CHOICE, Account.account_class, "Class", choices=tuple(AccountClass)),
        field("status", Kind.CHOICE, Account.status, "Status", choices=tuple(Status)),
        replace(field("kind", Kind.TEXT, KIND, "Kind of firm", values=every_word()), reads=firm),
        field("owner", Kind.TEXT, User.login, "Owner's login", of_owner, values=LOGINS),
        field("territory", Kind.TEXT, Territory.name, "Territory", of_territory, values=select(Territory.name)),
        field("street", Kind.TEXT, Site.street, "Street", of_sites),
        field("postcode", Kind.TEXT, Site.postcode, "Postcode", of_sites),
        field("city", Kind.TEXT, Site.city, "City", of_sites),
        field("country", Kind.TEXT, Site.country, "Country", of_sites),
        field("value", Kind.NUMBER, Account.yearly_value, "Yearly value"),
        field("potential", Kind.NUMBER, Account.yearly_potential, "Yearly potential"),
        field("interval", Kind.NUMBER, INTERVAL_DAYS, "Call interval in days"),
        field("last_visit", Kind.DATE, Account.last_visit_on, "Last visit"),
        field("overdue", Kind.NUMBER, overdue_days(today), "Days overdue"),
        field("in_cycle", Kind.FLAG, in_cycle(today, Account.last_visit_on), "Visited within its call cycle"),
        field("tag", Kind.TEXT, TAG.c.tag, "Tag", of_tags),
        field("phone", Kind.TEXT, Account.phone, "Phone"),
        field("email", Kind.TEXT, Account.email, "E-mail"),
        field("note", Kind.TEXT, Account.note, "Note"),
        field("grade", Kind.CHOICE, Site.grade, "Grade of the pin", of_sites, tuple(Grade)),
        field("pin", Kind.CHOICE, Site.pin_state, "State of the pin", of_sites, tuple(PinState)),
        field("uncertainty", Kind.NUMBER, Site.uncertainty_m, "Uncertainty of the pin in metres", of_sites),
        field("has_pin", Kind.FLAG, has_pin.exists(), "Has a pin"),
        field("created", Kind.DATE, cast(Account.created_at, Date), "Created"),
        field("parent", Kind.TEXT, PARENT, "Number or name of the parent account", of_parent),
        field("preferred_day", Kind.CHOICE, PREFERRED_DAY.c.day, "Preferred day", of_days, tuple(Weekday)),
        field("preferred_time", Kind.CHOICE, Account.preferred_time, "Preferred time", choices=tuple(DayPart)),
        field("preferred_channel", Kind.CHOICE, Account.preferred_channel, "Preferred channel", choices=tuple(Channel)),
        field("language", Kind.TEXT, Account.language, "Language"),
        field("preferred_rep", Kind.TEXT, User.login, "Preferred rep's login", of_preferred_rep, values=LOGINS),
        field("by_appointment", Kind.FLAG, Account.by_appointment, "By appointment only"),
    )
    return {one.name: one for one in declared}


def matches(session: Session, words: str, hidden: frozenset[str] = frozenset()) -> ColumnElement[bool]:
    """Every word is found in the account or one of its sites: accents do not matter, small slips are forgiven."""
    return and_(*(found(session, word, hidden) for word in words.split()[:8]))


def found(session: Session, word: str, hidden: frozenset[str] = frozenset()) -> ColumnElement[bool]:
    """One word is found; short ones as written, longer ones also when nearly so (trigrams)."""
    digits = "".join(character for character in word if character.isdigit())
    wanted = digits.lstrip("0") if len(digits) >= 5 and not any(map(str.isalpha, word)) else word
    folded = func.rtrim(func.search_words(wanted, None, None, None))
    like = func.concat("%", func.regexp_replace(folded, r"([\\%_])", r"\\\1", "g"), "%")
    phone, mail = (None if one.key in hidden else one for one in (Account.phone_e164, Account.email))
    account = func.search_words(Account.name, Account.number, phone, mail)
    site = func.search_words(Site.name, Site.street, Site.postcode, Site.city)

    def fits(text: ColumnElement[Any]) -> ColumnElement[bool]:
        exact: ColumnElement[bool] = text.like(like)
        return exact | folded.op("<%")(text) if len(wanted) > 3 and not wanted.isdigit() else exact

    living = case((Account.merged_into.is_(None), Account.id), else_=func.account_surviving(Account.id))
    account_ids = select(living).where(fits(account)).correlate(None)
    site_ids = select(Site.account_id).where(Site.deleted_at.is_(None), fits(site)).correlate(None)
    own = found_in_own(session, "account", Account.custom, like)
    of_site = found_in_own(session, "site", Site.custom, like)
    more = [select(living).where(own).correlate(None)] if own is not None else []
    if of_site is not None:
        more.append(select(Site.account_id).where(Site.deleted_at.is_(None), of_site).correlate(None))
    return Account.id.in_(account_ids.union(site_ids, *more))
