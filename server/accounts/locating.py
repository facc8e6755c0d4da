"""Pins for addresses, in the background; asked again when the map has changed."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from geo.geocode.types import AddressQuery
from server.accounts import forgetting
from server.accounts.models import Account, PinState, Site
from server.accounts.pins import BY_PEOPLE, align_accounts, hold_ground, set_by_answers
from server.accounts.rechecking import concerned
from server.geocoding import remote, updating
from server.geocoding import service as geocoding
from server.geocoding.errors import NoAddresses
from server.geocoding.models import Version
from server.geocoding.updating import is_settled
from server.jobs import defer, task
from server.jobs.service import queue
from server.kit.database import transaction
from server.kit.locks import one_at_a_time
from server.records.service import Actor, acting

BATCH = 2000
"""Sites located in one transaction."""

ASKED_IN_A_RUN = 100
"""Questions to a geocoder elsewhere in one job."""

REFUSALS_IN_A_RUN = 3

NOT_BY_PEOPLE = func.coalesce(Site.grade, "").not_in(BY_PEOPLE)
"""Pins that a machine may move."""

UNSURE = and_(Site.pin_state.in_((PinState.REVIEW, PinState.FAILED)), NOT_BY_PEOPLE)
"""Pins that a geocoder elsewhere may improve."""

BORROWED = and_(Site.provider.in_(remote.LIMITED), NOT_BY_PEOPLE)
"""Pins that their provider lets us keep for some time only."""

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
    rev: int = 0
    """Of the site when it was read."""

    @classmethod
    def of(cls, site: Site, name: str) -> "Waiting":
        """A site that is at hand."""
        parts = (site.street or "", site.postcode or "", site.city or "", site.country or "")
        return cls(site.id, site.account_id, name, *parts, site.rev)


def query_of(site: Waiting) -> AddressQuery:
    """A site's place as a question to the geocoder; a street without a place may be a whole address."""
    if site.street and not site.postcode and not site.city:
        return AddressQuery(name=site.name, country=site.country, query=site.street)
    return AddressQuery(
        name=site.name, street=site.street, postcode=site.postcode, city=site.city, country=site.country
    )


def locate(session: Session, sites: Sequence[Waiting]) -> int:
    """Place these sites, all in one statement; one that somebody has changed meanwhile stays as it is.

    Nothing is held while the geocoder thinks; then the accounts before their sites, as whoever merges holds them.
    Returns how many were found.
    """
    if not sites:
        return 0
    queries = [query_of(site) for site in sites]
    answers = remote.better(session, queries, geocoding.pinned_many(session, queries))
    unchanged = held(session, sites)
    found = {site.id: answer for site, answer in zip(sites, answers, strict=True) if site.id in unchanged}
    set_by_answers(session, found)
    align_accounts(session, sorted({site.account_id for site in sites if site.id in found}))
    return sum(answer.point is not None for answer in found.values())


def held(session: Session, sites: Sequence[Waiting]) -> set[UUID]:
    """Hold the accounts and these sites to the end of the transaction; those that are as they were when read."""
    hold_ground(session)
    accounts = select(Account.id).where(Account.id.in_({site.account_id for site in sites})).order_by(Account.id)
    session.execute(accounts.with_for_update(key_share=True))
    statement = select(Site.id, Site.rev).where(Site.id.in_([site.id for site in sites])).order_by(Site.id)
    revs = dict(session.execute(statement.with_for_update()).tuples().all())
    return {site.id for site in sites if revs.get(site.id) == site.rev}


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
        one_at_a_time(session, "accounts.locate_pending")  # what came after the other's batch was read is still there
        acting(session, MACHINE)
        batch = pending(session)
        locate(session, batch)
        if len(batch) == BATCH:
            defer(session, locate_pending, key="accounts.locate_pending")


@task("accounts.check_pins_again")
def check_pins_again() -> None:
    """Ask again for pins that a change of the map may concern, batch by batch; pins set by people stay."""
    with transaction() as session, suppress(NoAddresses):
        acting(session, MACHINE)
        current = updating.settle(session)
        if current is None or session.scalar(select(is_settled()).where(Version.number == current.number)):
            return
        found = concerned(session, current)
        batch = sites_at(session, Site.id.in_(found[:BATCH]), NOT_BY_PEOPLE)
        locate(session, batch)
        if len(found) > BATCH:
            defer(session, check_pins_again, key="accounts.check_pins_again")
        elif len(batch) == len(found):
            updating.followed_up(current)


@queue.periodic(cron="27 3 * * *")
@queue.task(name="accounts.forget_pins", queue="default", queueing_lock="accounts.forget_pins")
def forget_pins(timestamp: int) -> None:
    """See every night whether copies of pins are left that their provider let us keep for some time only."""
    del timestamp
    with transaction() as session:
        if any(remote.setup_of(session, key) is not None for key in remote.LIMITED):
            defer(session, give_pins_back, key="accounts.give_pins_back", priority=-10)


@queue.periodic(cron="*/5 * * * *")
@queue.task(name="accounts.keep_pins", queue="default", queueing_lock="accounts.keep_pins")
def keep_pins(timestamp: int) -> None:
    """See every five minutes whether a new map has something to say about pins, or sites still wait for theirs."""
    del timestamp
    with transaction() as session:
        if session.scalars(select(Site.id).where(Site.pin_state == PinState.PENDING).limit(1)).first():
            defer(session, locate_pending, key="accounts.locate_pending")
        defer(session, check_pins_again, key="accounts.check_pins_again")
        if session.scalars(select(Site.id).where(BORROWED).limit(1)).first():
            defer(session, give_pins_back, key="accounts.give_pins_back", priority=-10)
        if remote.active(session) is not None:
            defer(session, ask_elsewhere, key="accounts.ask_elsewhere", priority=-10)


@task("accounts.ask_elsewhere")
def ask_elsewhere() -> None:
    """Ask the geocoder elsewhere for sites that our own index is not sure of, as many as a run may."""
    with transaction() as session:
        questions = unasked(session, ASKED_IN_A_RUN)
    refusals, answered = 0, []
    for site_id, query in questions:
        outcome = remote.ask(query)
        if isinstance(outcome, remote.Paused):
            refusals += 1
            if refusals >= REFUSALS_IN_A_RUN or outcome.until is not None:
                break
        elif outcome is not None:
            answered.append(site_id)
    with transaction() as session, suppress(NoAddresses):
        acting(session, MACHINE)
        locate(session, sites_at(session, Site.id.in_(answered), UNSURE))
        if len(answered) == len(questions) == ASKED_IN_A_RUN:
            defer(session, ask_elsewhere, key="accounts.ask_elsewhere", priority=-10)


@task("accounts.give_pins_back")
def give_pins_back() -> None:
    """Place those sites anew whose pins may not be kept any longer, and forget the copies of these.

    They are placed by our own index, until the provider is asked again.
    """
    with transaction() as session, suppress(NoAddresses):
        acting(session, MACHINE)
        for key in remote.LIMITED:
            after = UUID(int=0)
            while sites := sites_at(session, Site.provider == key, NOT_BY_PEOPLE, Site.id > after):
                gone = remote.outlived(session, key, [query_of(site) for site in sites])
                locate(session, [site for site in sites if query_of(site) in gone])
                after = sites[-1].id
    with transaction() as session:
        for key in remote.LIMITED:
            forgetting.forget_copies(session, key)


def unasked(session: Session, limit: int) -> list[tuple[UUID, AddressQuery]]:
    """Sites without a sure pin whose address the geocoder in use has not been asked for yet."""
    found: list[tuple[UUID, AddressQuery]] = []
    for rows in session.execute(sites_where(UNSURE).execution_options(yield_per=BATCH)).partitions(BATCH):
        queries = {row.id: query_of(Waiting._make(row)) for row in rows}
        known = remote.remembered(session, queries.values()).keys() | remote.refused_lately(session, queries.values())
        found += [(site, query) for site, query in queries.items() if query not in known and remote.key_of(query)]
        if len(found) >= limit:
            break
    return found[:limit]


def pending(session: Session, *, account_id: UUID | None = None) -> list[Waiting]:
    """The next sites that wait for a pin."""
    waits = Site.pin_state == PinState.PENDING
    return sites_at(session, waits) if account_id is None else sites_at(session, waits, Site.account_id == account_id)


def sites_at(session: Session, *conditions: ColumnElement[bool]) -> list[Waiting]:
    """The next sites under some conditions, as they are now."""
    session.flush()
    return [Waiting._make(row) for row in session.execute(sites_where(*conditions).limit(BATCH))]


def sites_where(*conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Living sites under some conditions as `Waiting`."""
    parts = (func.coalesce(column, "") for column in (Site.street, Site.postcode, Site.city, Site.country))
    return (
        select(Site.id, Site.account_id, Account.name, *parts, Site.rev)
        .join(Account, Account.id == Site.account_id)
        .where(Site.deleted_at.is_(None), Account.deleted_at.is_(None), *conditions)
        .order_by(Site.id)
    )
