"""Whether there is anything new for a phone, asked in one question: what most of them hear most of the time.

The question is put with the rights that the phone had last time. Where they are not the same any more, or where there
is something to read, `pull` finds out what.
"""

from datetime import datetime

from server.auth.access import Scope
from server.kit import clock
from server.kit.database import engine
from server.kit.errors import WaymarkError
from server.sync import cursors, pull, wire
from server.sync.cursors import Position
from server.sync.feeding import looked_for
from server.sync.phones import Caller
from server.sync.standing import asked, last_of, question, told


def nothing_new(caller: Scope, request: wire.PullRequest) -> str | None:
    """A `wire.PullReply` without rows, as JSON; None when there is more to say, or something to be found out first.

    Refuses a phone that may not call any more.
    """
    known = last_of(caller)
    if known is None or not isinstance(caller, Caller) or len(request.groups) != 1:
        return None
    (group,), now = request.groups, clock.now()
    wanted, position = list(dict.fromkeys(group.buckets)), reached(group.cursor, known.secret, now, request.epoch)
    if position is None or not wanted:
        return None
    statement = question(known.scope.level("accounts:read"), news=True)
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        found = connection.execute(statement, asked(caller, known) | looked_for(wanted, position, 1)).one_or_none()
    moment, scope, schema, allowed = told(caller, None if found is None else found[1:])
    same = (
        (scope, moment.secret) == known
        and moment.epoch == request.epoch
        and (schema is None or schema >= wire.SCHEMA_MIN)
        and position.gens == {one: allowed[one].gen for one in wanted if one in allowed}
        and pull.first_unseen(position.seen) <= pull.first_unseen(moment.snapshot)
    )
    if found is None or found[0] or not same:
        return None
    cursor = cursors.sign(position.done(moment.snapshot), moment.secret, now)
    return pull.replied([*allowed], more=False, groups=[pull.spelled(wanted, cursor, [], complete=True)])


def reached(cursor: str | None, secret: bytes, now: datetime, epoch: str) -> Position | None:
    """Where a phone stands that has read everything up to some moment; None for others, and for a cursor to refuse."""
    try:
        position = cursors.read(cursor, secret, now, epoch) if cursor else None
    except WaymarkError:
        return None
    return position if position is not None and position.target is None else None
