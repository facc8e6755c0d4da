"""Whether there is anything new for a phone, asked in one question: what most of them hear most of the time.

The question is put with the rights that the phone had last time. Its answer says whether they are still the same; where
they are not, or where there is something to read, `pull` does it all step by step.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, LargeBinary, Select, String, bindparam, column, exists, func, literal_column, select, text

from server.auth.access import Scope
from server.auth.models import Device, DeviceToken, User
from server.auth.roles import Level
from server.kit import clock
from server.kit.database import engine
from server.kit.errors import WaymarkError
from server.sync import buckets, cursors, epochs, pull, wire
from server.sync.cursors import Position
from server.sync.phones import HELD, LAST, PERSON, Caller, judged, unknown


@lru_cache
def question(level: Level) -> Select[Any]:
    """The moment, who calls with which rights, their buckets, and whether anything is new in those they named."""
    opened = buckets.readable(level).subquery()
    news = text(pull.FEED.replace(":target", "pg_current_snapshot()")).columns(column("bucket_id"))
    return (
        select(
            literal_column("pg_current_snapshot()::text", String),
            literal_column("(select secret from sync_meta)", LargeBinary),
            literal_column(f"(select json_build_array({epochs.PARTS}) from {epochs.PLACES})", JSON),  # noqa: S608 our own constants
            exists(news),
            select(func.json_agg(func.json_build_array(*opened.c))).scalar_subquery(),
            Device.state,
            Device.schema_version,
            *PERSON,
        )
        .join(User, User.id == Device.user_id)
        .outerjoin(DeviceToken, HELD)
        .where(Device.id == bindparam("device"))
    )


def nothing_new(caller: Scope, request: wire.PullRequest) -> str | None:
    """A `wire.PullReply` without rows, as JSON; None when there is more to say, or something to be found out first.

    Refuses a phone that may not call any more.
    """
    known = LAST.get(caller.access_hash) if isinstance(caller, Caller) else None
    if known is None or not isinstance(caller, Caller) or len(request.groups) != 1:
        return None
    (group,), now = request.groups, clock.now()
    wanted, position = list(dict.fromkeys(group.buckets)), reached(group.cursor, known.secret, now, request.epoch)
    if position is None or not wanted:
        return None
    asked = buckets.reader(known.scope) | pull.looked_for(wanted, position, 1)
    statement = question(known.scope.level("accounts:read"))
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        found = connection.execute(
            statement, asked | {"device": caller.device_id, "hash": caller.access_hash}
        ).one_or_none()
    if found is None:
        raise unknown(caller.access_hash)
    snapshot, secret, identity, news, opened, state, schema, *person = found
    scope = judged(caller.device_id, state, caller.access_hash, person)
    allowed = {one.id: one for one in buckets.chosen(scope, opened)}
    same = (
        (scope, secret) == known
        and epochs.named(*epochs.told(identity)) == request.epoch
        and (schema is None or schema >= wire.SCHEMA_MIN)
        and position.gens == {one: allowed[one].gen for one in wanted if one in allowed}
        and pull.first_unseen(position.seen) <= pull.first_unseen(snapshot)
    )
    if news or not same:
        return None
    cursor = cursors.sign(position.done(snapshot), secret, now)
    return pull.replied([*allowed], more=False, groups=[pull.spelled(wanted, cursor, [], complete=True)])


def reached(cursor: str | None, secret: bytes, now: datetime, epoch: str) -> Position | None:
    """Where a phone stands that has read everything up to some moment; None for others, and for a cursor to refuse."""
    try:
        position = cursors.read(cursor, secret, now, epoch) if cursor else None
    except WaymarkError:
        return None
    return position if position is not None and position.target is None else None
