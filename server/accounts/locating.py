"""Pins for addresses, in the background; asked again when the map has changed."""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from geo.geocode.types import AddressQuery
from server.accounts.models import Account, PinState, Site
from server.accounts.pins import BY_PEOPLE, align_accounts, set_by_answer
from server.accounts.rechecking import concerned
from server.geocoding import remote, updating
from server.geocoding import service as geocoding
from server.geocoding.errors import NoAddresses
from server.geocoding.models import Version
from server.geocoding.updating import is_settled
from server.jobs import defer, task
from server.jobs.service import queue
from server.kit.database import transaction
from server.records.service import Actor, acting

BATCH = 2000
"""Sites located in one transaction."""

ASKED_IN_A_RUN = 100
"""Questions to a geocoder elsewhere in one job."""

REFUSALS_IN_A_RUN = 3

OPEN = (PinState.REVIEW, PinState.FAILED)
"""A pin that a person, or a geocoder elsewhere, may improve."""

MACHINE = Actor(user_id=None, source="job")


def query_of(site: Site, name: str) -> AddressQuery:
    """A site's place as a question to the geocoder; a street without a place may be a whole address."""
    if site.street and not site.postcode and not site.city:
        return AddressQuery(name=name, country=site.country or "", query=site.street)
    return AddressQuery(
        name=name,
        street=site.street or "",
        postcode=site.postcode or "",
        city=site.city or "",
        country=site.country or "",
    )


def locate(session: Session, sites: list[tuple[Site, str]]) -> int:
    """Place these sites; a pin set by a person meanwhile stays. Returns how many were found."""
    open_sites = [(site, name) for site, name in sites if site.grade not in BY_PEOPLE]
    queries = [query_of(site, name) for site, name in open_sites]
    answers = remote.better(session, queries, geocoding.locate_many(session, queries))
    for (site, _), answer in zip(open_sites, answers, strict=True):
        set_by_answer(site, answer)
    session.flush()
    align_accounts(session, sorted({site.account_id for site, _ in open_sites}))
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
    """Ask again for pins that a change of the map may concern, batch by batch; pins set by people stay."""
    with transaction() as session, suppress(NoAddresses):
        acting(session, MACHINE)
        current = updating.settle(session)
        if current is None or session.scalar(select(is_settled()).where(Version.number == current.number)):
            return
        found = concerned(session, current)
        batch = locked(session, found[:BATCH])
        locate(session, batch)
        if len(found) > BATCH:
            defer(session, check_pins_again, key="accounts.check_pins_again")
        elif len(batch) == len(found):
            updating.followed_up(current)


@queue.periodic(cron="*/5 * * * *")
@queue.task(name="accounts.keep_pins", queue="default", queueing_lock="accounts.keep_pins")
def keep_pins(timestamp: int) -> None:
    """See every five minutes whether a new map has something to say about pins, or sites still wait for theirs."""
    del timestamp
    with transaction() as session:
        if session.scalars(select(Site.id).where(Site.pin_state == PinState.PENDING).limit(1)).first():
            defer(session, locate_pending, key="accounts.locate_pending")
        defer(session, check_pins_again, key="accounts.check_pins_again")
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
        locate(session, [(site, name) for site, name in locked(session, answered) if site.pin_state in OPEN])
        if len(answered) == len(questions) == ASKED_IN_A_RUN:
            defer(session, ask_elsewhere, key="accounts.ask_elsewhere", priority=-10)


def unasked(session: Session, limit: int) -> list[tuple[UUID, AddressQuery]]:
    """Sites without a sure pin whose address the geocoder in use has not been asked for yet."""
    statement = (
        select(Site, Account.name)
        .join(Account, Account.id == Site.account_id)
        .where(Site.pin_state.in_(OPEN), Site.deleted_at.is_(None), Account.deleted_at.is_(None))
        .order_by(Site.id)
        .execution_options(yield_per=BATCH)
    )
    found: list[tuple[UUID, AddressQuery]] = []
    for rows in session.execute(statement).partitions(BATCH):
        queries = {site.id: query_of(site, name) for site, name in rows if site.grade not in BY_PEOPLE}
        known = remote.remembered(session, queries.values())
        found += [(site, query) for site, query in queries.items() if query not in known and remote.key_of(query)]
        if len(found) >= limit:
            break
    return found[:limit]


def locked(session: Session, site_ids: Sequence[UUID]) -> list[tuple[Site, str]]:
    """Some sites with their account's name, kept from other workers; those that another one has are left out."""
    statement = (
        select(Site, Account.name)
        .join(Account, Account.id == Site.account_id)
        .where(Site.id.in_(site_ids))
        .order_by(Site.id)
        .with_for_update(of=Site, skip_locked=True)
    )
    return [(site, name) for site, name in session.execute(statement)]


def pending(session: Session, *, account_id: UUID | None = None) -> list[tuple[Site, str]]:
    """Sites that wait for a pin, with their account's name; locked, so that two workers share the work."""
    statement = (
        select(Site, Account.name)
        .join(Account, Account.id == Site.account_id)
        .where(Site.pin_state == PinState.PENDING, Site.deleted_at.is_(None), Account.deleted_at.is_(None))
        .order_by(Site.id)
        .limit(BATCH)
        .with_for_update(of=Site, skip_locked=True)
    )
    if account_id is not None:
        statement = statement.where(Site.account_id == account_id)
    return [(site, name) for site, name in session.execute(statement)]
