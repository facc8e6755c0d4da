"""The queue of the review desk: sites whose pin a person should look at, the most value at risk first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Float, Select, Text, and_, case, cast, func, literal, select
from sqlalchemy.orm import Session

from server.accounts import queries
from server.accounts.models import Account, PinState, Site
from server.accounts.place_models import ChangeState, Origin, PinProposal, ProposalState, SiteChange
from server.accounts.values import ADDRESS
from server.auth import veil
from server.auth.access import Scope
from server.kit.errors import BadRequest
from server.territories.models import Territory

PERMISSION = "pins:place"
"""Who decides about pins."""

MOST = 2000
"""Sites of one queue that are handed out at once; the rest follow when these are decided."""

NO_TERRITORY = "none"
ASIDE = "aside"
"""The verb of a decision that leaves an address unplaced."""

VALUE = func.greatest(func.coalesce(Account.yearly_value, 0), func.coalesce(Account.yearly_potential, 0))
"""What an account is worth a year: its value or its potential, whichever is more."""


CONTRADICTED = 0.5
"""How unsure a pin is at least that somebody on the spot contradicts."""


def proposed(origin: Origin | None = None) -> ColumnElement[bool]:
    """Whether a proposal of a better pin waits for a decision."""
    statement = select(PinProposal.id).where(
        PinProposal.site_id == Site.id, PinProposal.state == ProposalState.OPEN, PinProposal.deleted_at.is_(None)
    )
    if origin is not None:
        statement = statement.where(PinProposal.origin == origin)
    return statement.correlate(Site).exists()


def set_aside() -> ColumnElement[bool]:
    """Whether somebody said that this address cannot be placed, and it is the same address still."""
    same = (SiteChange.before[name].astext.is_not_distinct_from(getattr(Site, name)) for name in ADDRESS)
    statement = select(SiteChange.id).where(
        SiteChange.site_id == Site.id, SiteChange.verb == ASIDE, SiteChange.state == ChangeState.DONE, *same
    )
    return statement.correlate(Site).exists()


def unsure() -> ColumnElement[float]:
    """How unsure a pin is, 0 to 1: 1 without a pin, else what is missing to full confidence."""
    missing = 1.0 - func.coalesce(Site.confidence, 0.5)
    return case((Site.pin.is_(None), 1.0), (proposed(), func.greatest(missing, CONTRADICTED)), else_=missing)


def reason() -> ColumnElement[str]:
    """Why a site is in the queue."""
    return case(
        (proposed(Origin.CHECKINS), "checkins"),
        (proposed(Origin.REP), "proposed"),
        (Site.pin_state == PinState.FAILED, func.coalesce(Site.geocode_reason, "not_found")),
        else_=func.coalesce(Site.geocode_reason, "unsure"),
    )


@dataclass(frozen=True)
class Wish:
    """What of the queue somebody wants to see."""

    reason: str | None = None
    grade: str | None = None
    territory: str | None = None
    """An id, or `none`."""

    def having(self, name: str, value: str | None) -> "Wish":
        """The same wish with another value of one of its parts."""
        return Wish(**{**vars(self), name: value})

    def given(self) -> dict[str, str]:
        """The parts that are wished for."""
        return {name: value for name, value in vars(self).items() if value}


def parts() -> Mapping[str, ColumnElement[Any]]:
    """What the queue can be filtered by, as text."""
    return {
        "reason": reason(),
        "grade": func.coalesce(Site.grade, NO_TERRITORY),
        "territory": func.coalesce(cast(Account.territory_id, Text), NO_TERRITORY),
    }


def waiting(scope: Scope, wish: Wish) -> Select[Any]:
    """The sites that wait for a person, of the accounts that somebody may place."""
    open_pin = Site.pin_state.in_((PinState.REVIEW, PinState.FAILED)) & ~set_aside()
    contradicted = select(PinProposal.site_id).where(
        PinProposal.state == ProposalState.OPEN, PinProposal.deleted_at.is_(None)
    )
    statement = (
        queries.visible_to(scope, PERMISSION)
        .join(Site, and_(Site.account_id == Account.id, Site.deleted_at.is_(None)))
        .where(open_pin | Site.id.in_(contradicted))
    )
    known = parts()
    for name, value in wish.given().items():
        statement = statement.where(known[name] == value)
    return statement


@dataclass(frozen=True)
class Waiting:
    """One site of the queue."""

    site_id: UUID
    account_id: UUID
    name: str
    account_class: str | None
    place: str
    reason: str
    grade: str | None
    confidence: float | None
    value: float | None
    currency: str
    unsure: float
    at_risk: float | None

    def __post_init__(self) -> None:
        """What the reader may not know is not there; the greater of value and potential would tell either."""
        hidden = veil.hidden("account")
        if hidden & {"yearly_value", "yearly_potential"}:
            object.__setattr__(self, "value", None)
            object.__setattr__(self, "at_risk", None)
        veil.without("account", self)


@dataclass(frozen=True)
class Queue:
    """The queue, and how it divides."""

    items: list[Waiting]
    total: int
    counts: Mapping[str, list[tuple[str, int]]]
    """For each part: its values with how many sites a click on them leaves, most first."""


def queue(session: Session, scope: Scope, wish: Wish, *, limit: int = MOST) -> Queue:
    """The sites that wait, most value at risk first; equal ones by how unsure they are."""
    if wish.territory not in (None, NO_TERRITORY):
        require_id(wish.territory)
    at_risk = VALUE * unsure()
    place = func.concat_ws(", ", Site.street, func.concat_ws(" ", Site.postcode, Site.city))
    columns = {
        "site_id": Site.id,
        "account_id": Account.id,
        "name": Account.name,
        "account_class": Account.account_class,
        "place": place,
        "reason": reason(),
        "grade": Site.grade,
        "confidence": Site.confidence,
        "value": cast(VALUE, Float),
        "currency": Account.currency,
        "unsure": unsure(),
        "at_risk": cast(at_risk, Float),
    }
    labelled: list[Any] = [column.label(name) for name, column in columns.items()]
    statement = waiting(scope, wish).with_only_columns(*labelled)
    rows = session.execute(statement.order_by(at_risk.desc(), unsure().desc(), Site.id).limit(limit))
    items = [Waiting(**row) for row in rows.mappings()]
    counted = waiting(scope, wish).with_only_columns(func.count())
    total = len(items) if len(items) < limit else session.scalar(counted) or 0
    return Queue(items, total, {name: divided(session, scope, wish.having(name, None), name) for name in parts()})


def require_id(value: object) -> None:
    """Refuse a territory that is no id."""
    try:
        UUID(str(value))
    except ValueError as error:
        raise BadRequest("There is no such territory.", help="Choose one of the list.") from error


def divided(session: Session, scope: Scope, wish: Wish, name: str) -> list[tuple[str, int]]:
    """How many sites of the queue have which value of a part."""
    column = parts()[name].label("value")
    statement = waiting(scope, wish).with_only_columns(column, func.count()).group_by(column)
    return [(str(value), count) for value, count in session.execute(statement.order_by(func.count().desc(), column))]


def grades(session: Session, scope: Scope) -> list[tuple[str, int]]:
    """All sites that somebody may place by grade: those that wait for the geocoder or a person come by these words."""
    state = case(
        (Site.pin_state == PinState.PLACED, func.coalesce(Site.grade, literal("placed"))), else_=Site.pin_state
    ).label("grade")
    joined = queries.visible_to(scope, PERMISSION).join(
        Site, and_(Site.account_id == Account.id, Site.deleted_at.is_(None))
    )
    found = {str(row[0]): int(row[1]) for row in session.execute(
        joined.with_only_columns(state, func.count()).group_by(state)
    )}  # fmt: skip
    known = ("gps_confirmed", "manual", "rooftop", "interpolated", "street", "locality", "given", "placed")
    order = (*known, "review", "failed", "pending")
    return sorted(found.items(), key=lambda one: order.index(one[0]) if one[0] in order else len(order))


def territory_names(session: Session) -> dict[str, str]:
    """The territories by their id as text."""
    rows = session.execute(select(Territory.id, Territory.name).where(Territory.deleted_at.is_(None)))
    return {str(row[0]): row[1] for row in rows}
