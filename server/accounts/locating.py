"""Pins for addresses, in the background; asked again when the map has changed."""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from geo.geocode.types import AddressQuery
from server.accounts.models import Account, PinState, Site
from server.accounts.pins import BY_PEOPLE, align_accounts, set_by_answers
from server.geocoding import service as geocoding
from server.geocoding.errors import NoAddresses
from server.jobs import defer, task
from server.jobs.service import queue
from server.kit.database import transaction
from server.records.service import Actor, acting

BATCH = 2000
"""Sites located in one transaction."""

MACHINE = Actor(user_id=None, source="job")


class Waiting(NamedTuple):
    """A site that waits for the geocoder."""

    id: UUID
    account_id: UUID
    name: str
    """Of the account."""
    street: str
    postcode: str
    city: str
    country: str


def query_of(site: Waiting) -> AddressQuery:
    """A site's place as a question to the geocoder; a street without a place may be a whole address."""
    if site.street and not site.postcode and not site.city:
        return AddressQuery(name=site.name, country=site.country, query=site.street)
    return AddressQuery(
        name=site.name, street=site.street, postcode=site.postcode, city=site.city, country=site.country
    )


def locate(session: Session, sites: Sequence[Waiting]) -> int:
    """Place these sites, all in one statement; a pin set by a person meanwhile stays. Returns how many were found."""
    if not sites:
        return 0
    answers = geocoding.locate_many(session, [query_of(site) for site in sites])
    set_by_answers(session, {site.id: answer for site, answer in zip(sites, answers, strict=True)})
    align_accounts(session, sorted({site.account_id for site in sites}))
    return sum(answer.point is not None for answer in answers)


@task("accounts.locate_account")
def locate_account(account_id: str) -> None:
    """Place the sites of one account that wait for a pin."""
    with transaction() as session, suppress(NoAddresses):
        acting(session, MACHINE)
        locate(session, pending(session, account_id=UUID(account_id)))


@task("accounts.locate_pending")
def locate_pending() -> None:
    """Place all sites that wait for a pin, in batches; each batch is a transaction of its own."""
    with transaction() as session, suppress(NoAddresses):
        acting(session, MACHINE)
        batch = pending(session)
        locate(session, batch)
        if len(batch) == BATCH:
            defer(session, locate_pending, key="accounts.locate_pending")


@task("accounts.check_pins_again")
def check_pins_again() -> None:
    """Ask again for pins that an older map has placed, or could not place; pins set by people stay."""
    with transaction() as session, suppress(NoAddresses):
        acting(session, MACHINE)
        version = geocoding.locate(session, AddressQuery()).region_version
        batch = outdated(session, version)
        locate(session, batch)
        if len(batch) == BATCH:
            defer(session, check_pins_again, key="accounts.check_pins_again")


@queue.periodic(cron="*/5 * * * *")
@queue.task(name="accounts.keep_pins", queue="default", queueing_lock="accounts.keep_pins")
def keep_pins(timestamp: int) -> None:
    """See every five minutes whether a new map has something to say about pins, or sites still wait for theirs."""
    del timestamp
    with transaction() as session:
        if session.scalars(select(Site.id).where(Site.pin_state == PinState.PENDING).limit(1)).first():
            defer(session, locate_pending, key="accounts.locate_pending")
        defer(session, check_pins_again, key="accounts.check_pins_again")


def outdated(session: Session, version: str) -> list[Waiting]:
    """Sites whose pin another version of the address index has placed, or failed to place."""
    return chosen(
        session,
        Site.region_version.is_not(None),
        Site.region_version != version,
        func.coalesce(Site.grade, "").not_in(BY_PEOPLE),
    )


def pending(session: Session, *, account_id: UUID | None = None) -> list[Waiting]:
    """Sites that wait for a pin."""
    waiting = Site.pin_state == PinState.PENDING
    return chosen(session, waiting) if account_id is None else chosen(session, waiting, Site.account_id == account_id)


def chosen(session: Session, *conditions: ColumnElement[bool]) -> list[Waiting]:
    """The next living sites under some conditions; locked, so that two workers share the work."""
    parts = (func.coalesce(column, "") for column in (Site.street, Site.postcode, Site.city, Site.country))
    statement = (
        select(Site.id, Site.account_id, Account.name, *parts)
        .join(Account, Account.id == Site.account_id)
        .where(Site.deleted_at.is_(None), Account.deleted_at.is_(None), *conditions)
        .order_by(Site.id)
        .limit(BATCH)
        .with_for_update(of=Site, skip_locked=True)
    )
    return [Waiting._make(row) for row in session.execute(statement)]
