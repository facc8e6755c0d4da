"""Where everything stands when a phone reads: the moment, who calls with which rights, and which buckets those open.

Asked in one question, with the rights that the phone had last time; its answer says whether they are still the same.
Where they are not, and where nothing is known of a phone, it is found out step by step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    ColumnElement,
    LargeBinary,
    Select,
    String,
    bindparam,
    column,
    exists,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.models import Device, DeviceToken, User
from server.auth.roles import Level
from server.kit import clock
from server.sync import buckets, entities, epochs, feeding, wire
from server.sync.buckets import Subscription
from server.sync.phones import HELD, LAST, PERSON, Caller, Last, judged, note, present, unknown
from server.sync.problems import AppTooOld


@dataclass(frozen=True, slots=True)
class Moment:
    """What a page is made from."""

    epoch: str
    snapshot: str
    secret: bytes
    now: datetime


class Standing(NamedTuple):
    """Where everything stands for a phone at a moment."""

    moment: Moment
    scope: Scope
    schema: int | None
    allowed: dict[int, Subscription]
    """The buckets that it may read, by their number, the most urgent first."""


@lru_cache
def question(level: Level, *, news: bool) -> Select[Any]:
    """The moment, who calls, and the buckets that a level of rights to accounts opens; for a page the time that it may
    take is set as well, else it is asked whether anything is new in the buckets that are named."""
    opened = buckets.readable(level).subquery()
    also: ColumnElement[Any] = func.set_config("statement_timeout", "20s", True)
    if news:
        also = exists(text(feeding.FEED.replace(":target", "pg_current_snapshot()")).columns(column("bucket_id")))
    return (
        select(
            also,
            literal_column("pg_current_snapshot()::text", String),
            literal_column("(select secret from sync_meta)", LargeBinary),
            literal_column(f"(select json_build_array({epochs.PARTS}) from {epochs.PLACES})", JSON),  # noqa: S608 our own constants
            select(func.json_agg(func.json_build_array(*opened.c))).scalar_subquery(),
            Device.state,
            Device.schema_version,
            *PERSON,
        )
        .join(User, User.id == Device.user_id)
        .outerjoin(DeviceToken, HELD)
        .where(Device.id == bindparam("device"))
    )


def asked(caller: Caller, known: Last) -> dict[str, Any]:
    """What the question is asked, but for the buckets that are looked into."""
    return buckets.reader(known.scope) | {"device": caller.device_id, "hash": caller.access_hash}


def told(caller: Caller, answer: Sequence[Any] | None) -> Standing:
    """The answer without its first column; refuses a phone that may not call any more.

    The buckets are right where the rights are those that the question was put with.
    """
    if answer is None:
        raise unknown(caller.access_hash)
    snapshot, secret, identity, opened, state, schema, *person = answer
    scope = judged(caller.device_id, state, caller.access_hash, person)
    moment = Moment(epochs.named(*epochs.told(identity)), snapshot, secret, clock.now())
    return Standing(moment, scope, schema, {one.id: one for one in buckets.chosen(scope, opened or ())})


def last_of(caller: Scope) -> Last | None:
    """What was found when a phone read before in this process."""
    return LAST.get(caller.access_hash) if isinstance(caller, Caller) else None


def standing(session: Session, caller: Scope, epoch: str) -> Standing:
    """Where everything stands inside this very transaction.

    Refuses another epoch, a phone that may not call any more, and an app that cannot read our data.
    """
    known, found = last_of(caller), None
    if known is not None and isinstance(caller, Caller):
        asking = question(known.scope.level("accounts:read"), news=False)
        answer = session.execute(asking, asked(caller, known)).one_or_none()
        found = told(caller, None if answer is None else answer[1:])
        epochs.refuse_another(found.moment.epoch, epoch)
    if found is None or known is None or found.scope != known.scope:
        found = step_by_step(session, caller, epoch)
    note(caller, found.scope, found.moment.secret)
    if found.schema is not None and found.schema < wire.SCHEMA_MIN:
        raise AppTooOld("This version of the app cannot read our data any more.", help="Update the app.", retry=False)
    return found


MOMENT = """
select pg_current_snapshot()::text, set_config('statement_timeout', '20s', true), (select secret from sync_meta), e.*
from ({identity}) e
"""


def step_by_step(session: Session, caller: Scope, epoch: str) -> Standing:
    """The same of a phone whose rights are not known yet; refuses another epoch."""
    snapshot, _, secret, *identity = session.execute(entities.prepared(MOMENT.format(identity=epochs.IDENTITY))).one()
    epochs.refuse_another(epochs.named(*epochs.told(identity)), epoch)
    device, scope = present(session, caller)
    allowed = {one.id: one for one in buckets.subscriptions(session, scope)}
    return Standing(Moment(epoch, snapshot, secret, clock.now()), scope, device.schema_version, allowed)
