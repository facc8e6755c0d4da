"""Where everything stands when a phone reads: the moment, who calls with which rights, and which buckets those open.

A phone that has read before is asked about in one question, put with the rights that it had then (`glance`); where
they are not the same any more, and where nothing is known of a phone, it is found out step by step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    LargeBinary,
    String,
    bindparam,
    column,
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
from server.kit.questions import Question
from server.phones import rules
from server.sync.calling.phones import HELD, LAST, PERSON, Caller, Last, judged, note, present, unknown
from server.sync.protocol import wire
from server.sync.protocol.problems import AppTooOld
from server.sync.pulling import buckets, entities, epochs, feeding
from server.sync.pulling.buckets import Subscription


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
    """The buckets that it is given, by their number, the most urgent first."""


@lru_cache
def question(level: Level) -> Question:
    """What is new in the buckets that are named (null: nothing), the moment, who calls, and the buckets that a level of
    rights to accounts opens."""
    opened = buckets.readable(level).subquery()
    feed = feeding.FEED.replace(":target", "(select pg_current_snapshot())")
    news = text(f"select json_agg(json_build_array(f.bucket_id, f.e, f.id, f.op, f.txid)) from ({feed}) f")  # noqa: S608 our own constants
    return Question(
        select(
            news.columns(column("news", JSON)).scalar_subquery(),
            literal_column("pg_current_snapshot()::text", String),
            literal_column("(select secret from sync_meta)", LargeBinary),
            literal_column(f"(select json_build_array({epochs.PARTS}) from {epochs.PLACES})", JSON),  # noqa: S608 our own constants
            select(func.json_agg(func.json_build_array(*opened.c))).scalar_subquery(),
            buckets.CEILING,
            Device.state,
            Device.schema_version,
            Device.holding,
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
    snapshot, secret, identity, opened, ceiling, state, schema, holding, *person = answer
    scope = judged(caller.device_id, state, caller.access_hash, person)
    moment = Moment(epochs.named(*epochs.told(identity)), snapshot, secret, clock.now())
    fitted = buckets.fitting(buckets.chosen(scope, opened or ()), ceiling, holding)
    return Standing(moment, scope, schema, {one.id: one for one in fitted.given})


def last_of(caller: Scope) -> Last | None:
    """What was found when a phone read before in this process."""
    return LAST.get(caller.access_hash) if isinstance(caller, Caller) else None


MOMENT = """
select pg_current_snapshot()::text, set_config('statement_timeout', '20s', true), (select secret from sync_meta),
coalesce((select max_rows from phone_rules), {ceiling}), e.*
from ({identity}) e
"""


def standing(session: Session, caller: Scope, epoch: str) -> Standing:
    """Where everything stands inside this very transaction.

    Refuses another epoch, a phone that may not call any more, and an app that cannot read our data.
    """
    asked = MOMENT.format(identity=epochs.IDENTITY, ceiling=rules.MAX_ROWS)
    snapshot, _, secret, ceiling, *identity = session.execute(entities.prepared(asked)).one()
    epochs.refuse_another(epochs.named(*epochs.told(identity)), epoch)
    device, scope = present(session, caller)
    fitted = buckets.fitting(buckets.subscriptions(session, scope), ceiling, device.holding)
    allowed = {one.id: one for one in fitted.given}
    note(caller, scope, secret)
    if device.schema_version is not None and device.schema_version < wire.SCHEMA_MIN:
        raise AppTooOld("This version of the app cannot read our data any more.", help="Update the app.", retry=False)
    return Standing(Moment(epoch, snapshot, secret, clock.now()), scope, device.schema_version, allowed)
