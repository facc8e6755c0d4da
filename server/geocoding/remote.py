"""Questions to a geocoder elsewhere, for addresses that our own index is not sure of; off until an admin agrees.

No transaction is open while a provider is asked. All workers share the provider's rate and its daily cap through the
database, and no question is asked twice while its answer may be kept.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from http.client import HTTPException
from urllib.parse import urlsplit
from uuid import UUID

from geopy.exc import (
    GeocoderAuthenticationFailure,
    GeocoderInsufficientPrivileges,
    GeocoderQueryError,
    GeocoderQuotaExceeded,
    GeocoderRateLimited,
    GeocoderTimedOut,
    GeopyError,
)
from sqlalchemy import ColumnElement, and_, delete, func, select, text, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from geo.geocode.types import THRESHOLD, AddressQuery, Answer, Reason
from geo.geocode.vocabulary import fold, words
from server.geocoding.models import RemoteAnswer, RemoteDay, RemoteProvider
from server.geocoding.providers import PROVIDERS, Found, Provider, address_of, client_of, found_in, judged
from server.geocoding.transport import NotUsable
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import Invalid, NotFound
from server.kit.settings import settings

log = logging.getLogger("waymark.geocoding")

LONGEST_WAIT_S = 5.0
"""A slot that is further away is left to a later job."""
_PAUSE_S, _LONG_PAUSE_S, _LONGEST_PAUSE_S = 60.0, 3600.0, 86_400.0
_LONGEST = 400
_REFUSED = "refused"
"""Instead of an answer: the provider did not accept this question, or none; the next one is tried first for a day."""
_REFUSED_FOR = timedelta(days=1)
LIMITED = tuple(provider.key for provider in PROVIDERS.values() if provider.keeps_days is not None)
"""Providers whose terms say how long an answer may be kept."""

type Wait = Callable[[float], None]


@dataclass(frozen=True)
class Paused:
    """Nobody may ask now."""

    why: str
    until: datetime | None = None


@dataclass(frozen=True)
class Setup:
    """How an admin wants a provider to be used."""

    url: str
    user_agent: str
    interval_s: float
    daily_cap: int


def configure(session: Session, key: str, wish: Setup, *, accepts: bool, actor: UUID | None) -> RemoteProvider:
    """Switch a provider on. Refuses one whose terms are not accepted, without its key, or faster than its terms say."""
    provider = provider_of(key)
    wish = replace(wish, url=wish.url.strip())
    address_of(wish.url)
    if not accepts:
        raise Invalid(f"{provider.name}'s terms are not accepted.", help="Read them and accept them.", field="accept")
    if provider.needs_key and secret() is None:
        raise Invalid(
            f"{provider.name} wants a key.", help="Set WAYMARK_REMOTE_GEOCODER_KEY for server and workers.", field="url"
        )
    if len(wish.user_agent.strip()) < 5 or not wish.user_agent.isascii() or not wish.user_agent.isprintable():
        raise Invalid("The user agent must name you.", help="For example: Example Ltd, it@example.com", field="agent")
    is_public = urlsplit(wish.url).hostname == urlsplit(provider.url).hostname
    least = provider.interval_s if is_public else 0.01
    if not least <= wish.interval_s <= _LONGEST_PAUSE_S:
        raise Invalid(f"At least {least:g} seconds lie between two questions.", field="interval_s")
    if not 1 <= wish.daily_cap <= 10_000_000:
        raise Invalid("The daily cap is at least 1.", field="daily_cap")
    switch_off(session)
    values = {
        **asdict(wish),
        "is_on": True,
        "terms_accepted_by": actor,
        "terms_accepted_at": clock.now(),
        "trouble": "",
    }
    statement = insert(RemoteProvider).values(provider=key, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["provider"], set_=values | {"next_at": func.now()}))
    session.expire_all()
    return session.get_one(RemoteProvider, key)


def switch_off(session: Session) -> None:
    """Ask nobody any more; what was answered stays known, but is not used."""
    session.execute(update(RemoteProvider).where(RemoteProvider.is_on).values(is_on=False))


def provider_of(key: str) -> Provider:
    """A provider by its key; refuses an unknown one."""
    if key not in PROVIDERS:
        raise NotFound(f"There is no provider “{key}”.", help=f"Known: {', '.join(PROVIDERS)}.")
    return PROVIDERS[key]


def active(session: Session) -> RemoteProvider | None:
    """The provider that is switched on, if one is."""
    return session.scalars(select(RemoteProvider).where(RemoteProvider.is_on)).first()


def setup_of(session: Session, key: str) -> RemoteProvider | None:
    """How a provider was set up, switched on or not."""
    return session.get(RemoteProvider, key)


def usage(session: Session, key: str) -> dict[str, int]:
    """How a provider was used today, how much of the day is left, and how many answers are kept."""
    day = session.get(RemoteDay, (key, clock.today(settings().zone)))
    setup = setup_of(session, key)
    names = ("asked", "answered", "refused", "remembered")
    counts = {name: getattr(day, name) if day is not None else 0 for name in names}
    kept = session.scalar(select(func.count()).where(RemoteAnswer.provider == key, _may_be_kept(key))) or 0
    cap = setup.daily_cap if setup is not None else provider_of(key).daily_cap
    return {**counts, "kept": kept, "left_today": max(0, cap - counts["asked"])}


def secret() -> str | None:
    """The provider's key from the environment; never shown and never stored."""
    key = settings().remote_geocoder_key
    return key.get_secret_value() if key is not None else None


def text_of(query: AddressQuery) -> str:
    """A question in one line, as it is sent: the address without the firm's name; empty when there is none."""
    line = query.query.strip()
    if not line and (query.street or query.city or query.postcode):
        parts = (query.street, f"{query.postcode} {query.city}", query.country)
        line = ", ".join(part.strip() for part in parts if part.strip())
    return " ".join(line.split())[:_LONGEST]


def key_of(query: AddressQuery) -> str:
    """The question as it is remembered."""
    return " ".join(words(fold(text_of(query))))


def remembered(session: Session, queries: Iterable[AddressQuery]) -> dict[AddressQuery, Answer]:
    """What the provider in use has answered before, without asking it; nothing when none is in use."""
    setup = active(session)
    wanted = {query: key for query in queries if (key := key_of(query))} if setup is not None else {}
    if setup is None or not wanted:
        return {}
    statement = select(RemoteAnswer.question, RemoteAnswer.answer).where(
        RemoteAnswer.provider == setup.provider,
        RemoteAnswer.question.in_(set(wanted.values())),
        _may_be_kept(setup.provider),
    )
    known = {question: answer for question, answer in session.execute(statement)}
    return {query: _answer(setup.provider, query, known[key]) for query, key in wanted.items() if key in known}


def forget(session: Session) -> int:
    """Delete the answers that their providers' terms do not allow to keep any longer; returns how many."""
    gone = 0
    for key in LIMITED:
        statement = delete(RemoteAnswer).where(RemoteAnswer.provider == key, ~_may_be_kept(key)).returning(1)
        gone += len(session.execute(statement).all())
    return gone


def outlived(session: Session, key: str, queries: Iterable[AddressQuery]) -> set[AddressQuery]:
    """The questions whose answers by this provider may not be used any longer."""
    wanted = {query: key_of(query) for query in queries}
    known = select(RemoteAnswer.question).where(
        RemoteAnswer.provider == key, RemoteAnswer.question.in_(set(wanted.values())), _may_be_kept(key)
    )
    fresh = set(session.scalars(known))
    return {query for query, question in wanted.items() if question not in fresh}


def refused_lately(session: Session, queries: Iterable[AddressQuery]) -> set[AddressQuery]:
    """The questions that the provider in use did not accept; others go first, in case it is the question."""
    setup = active(session)
    wanted = {query: key_of(query) for query in queries}
    if setup is None or not wanted:
        return set()
    statement = select(RemoteAnswer.question).where(
        RemoteAnswer.provider == setup.provider,
        RemoteAnswer.question.in_(set(wanted.values())),
        RemoteAnswer.answer.has_key(_REFUSED),
        RemoteAnswer.asked_at > clock.now() - _REFUSED_FOR,
    )
    refused = set(session.scalars(statement))
    return {query for query, question in wanted.items() if question in refused}


def _may_be_kept(key: str) -> ColumnElement[bool]:
    days = PROVIDERS[key].keeps_days if key in PROVIDERS else None
    in_term = true() if days is None else RemoteAnswer.asked_at > clock.now() - timedelta(days=days)
    return and_(~RemoteAnswer.answer.has_key(_REFUSED), in_term)


def better(session: Session, queries: Sequence[AddressQuery], answers: Sequence[Answer]) -> list[Answer]:
    """Our own answers, those below the threshold replaced where the provider has answered with more confidence."""
    unsure = [query for query, answer in zip(queries, answers, strict=True) if answer.confidence < THRESHOLD]
    known = remembered(session, unsure)
    return [preferred(own, known.get(query)) for query, own in zip(queries, answers, strict=True)]


def preferred(own: Answer, other: Answer | None) -> Answer:
    """The surer of two answers; the version stays that of our own index."""
    if other is None or other.confidence <= own.confidence:
        return own
    return replace(other, region_version=own.region_version, candidates=own.candidates)


def ask(query: AddressQuery, wait: Wait = time.sleep) -> Answer | Paused | None:
    """Ask the provider in use, in no transaction of the caller's; None when none is in use or there is no address.

    A refusal (error, time-out, nonsense, too many questions) makes everybody pause as long as the provider says.
    """
    line = text_of(query)
    with transaction() as session:
        setup = active(session)
        if setup is None or not key_of(query):
            return None
        known = remembered(session, [query]).get(query)
        if known is not None:
            _count(session, setup.provider, "remembered")
            return known
    provider = provider_of(setup.provider)
    paused = _slot(setup, wait)
    if paused is not None:
        return paused
    try:
        client = client_of(provider, setup.url, secret(), setup.user_agent)
        location = client.geocode(line, exactly_one=True, **provider.options)
        found = asdict(found_in(provider, location)) if location is not None else {}
    except (GeopyError, HTTPException, OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        return _refused(setup, query, error)
    with transaction() as session:
        _keep(session, setup.provider, query, found)
        _count(session, setup.provider, "answered")
        session.execute(
            update(RemoteProvider).where(RemoteProvider.provider == setup.provider, RemoteProvider.trouble != "")
            .values(trouble="")
        )  # fmt: skip
    return _answer(setup.provider, query, found)


def _keep(session: Session, key: str, query: AddressQuery, found: dict[str, object]) -> None:
    statement = insert(RemoteAnswer).values(provider=key, question=key_of(query), answer=found)
    newer = {"answer": found, "asked_at": func.now()}
    session.execute(statement.on_conflict_do_update(index_elements=["provider", "question"], set_=newer))


def _answer(key: str, query: AddressQuery, found: dict[str, object]) -> Answer:
    if not found:
        return Answer(None, reason=Reason.NOT_FOUND, provider=key)
    return judged(Found(**found), query, text_of(query), provider_of(key))  # type: ignore[arg-type]


def _slot(setup: RemoteProvider, wait: Wait) -> Paused | None:
    """Wait for this worker's turn; says why when it is too far away."""
    while True:
        with transaction() as session:
            row = session.execute(_NEXT, {"provider": setup.provider}).one_or_none()
            if row is None:
                return Paused("It was switched off.")
            if row.wait_s <= 0:
                if not _within_cap(session, setup):
                    return Paused(f"The daily cap of {setup.daily_cap:,} questions is reached.")
                session.execute(_TAKE, {"provider": setup.provider, "interval": setup.interval_s})
                return None
        if row.wait_s > LONGEST_WAIT_S:
            return Paused(row.trouble or "It is paused.", row.next_at)
        wait(float(row.wait_s))


_NEXT = text(
    """
    select next_at, trouble, extract(epoch from next_at - clock_timestamp())::float as wait_s
    from geocoding_remote where provider = :provider and is_on for update
    """
)
_TAKE = text(
    """
    update geocoding_remote set next_at = clock_timestamp() + make_interval(secs => :interval)
    where provider = :provider
    """
)


def _within_cap(session: Session, setup: RemoteProvider) -> bool:
    """Count a question, unless the day's are used up."""
    today = clock.today(settings().zone)
    session.execute(insert(RemoteDay).values(provider=setup.provider, day=today).on_conflict_do_nothing())
    counted = session.execute(
        update(RemoteDay)
        .where(RemoteDay.provider == setup.provider, RemoteDay.day == today, RemoteDay.asked < setup.daily_cap)
        .values(asked=RemoteDay.asked + 1)
        .returning(RemoteDay.asked)
    )
    return counted.first() is not None


def _refused(setup: RemoteProvider, query: AddressQuery, error: Exception) -> Paused:
    """Note a refusal; everybody pauses."""
    log.warning("the geocoder elsewhere refuses: %s: %s", type(error).__name__, error)
    if isinstance(error, GeocoderRateLimited | GeocoderQuotaExceeded):
        after = getattr(error, "retry_after", None)
        pause_s = min(max(float(after or _PAUSE_S), setup.interval_s), _LONGEST_PAUSE_S)
        why = "It says that we ask too much."
    elif isinstance(error, GeocoderAuthenticationFailure | GeocoderInsufficientPrivileges):
        pause_s, why = _LONG_PAUSE_S, "It does not accept our key."
    elif isinstance(error, GeocoderQueryError):
        pause_s, why = _LONG_PAUSE_S, "It does not accept our question: its address or our key may be wrong."
    elif isinstance(error, NotUsable):
        pause_s, why = _LONG_PAUSE_S, str(error)
    elif isinstance(error, TimeoutError | GeocoderTimedOut):
        pause_s, why = _PAUSE_S, "It does not answer in time."
    elif isinstance(error, GeopyError | HTTPException | OSError):
        pause_s, why = _PAUSE_S, "It does not answer as it should."
    else:
        pause_s, why = _PAUSE_S, "Its answer is not what such a geocoder says."
    until = clock.now() + timedelta(seconds=pause_s)
    with transaction() as session:
        _count(session, setup.provider, "refused")
        if isinstance(error, GeocoderQueryError):
            _keep(session, setup.provider, query, {_REFUSED: True})
        session.execute(
            update(RemoteProvider)
            .where(RemoteProvider.provider == setup.provider)
            .values(next_at=func.clock_timestamp() + timedelta(seconds=pause_s), trouble=why)
        )
    return Paused(why, until)


def _count(session: Session, key: str, what: str) -> None:
    statement = insert(RemoteDay).values(provider=key, day=clock.today(settings().zone), **{what: 1})
    more = {what: getattr(RemoteDay, what) + 1}
    session.execute(statement.on_conflict_do_update(index_elements=["provider", "day"], set_=more))
