"""The short way of a pull: what most phones hear most of the time, from one question and one for each kind of row.

The question is put with the rights that the phone had last time. Where they are not the same any more, where there is
much to read, and where anything else is unusual, `pull` finds out what.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from psycopg import Error

from server.auth.access import Scope
from server.kit import clock
from server.kit.errors import WaymarkError
from server.kit.questions import Asking, asking, worded
from server.sync.calling.phones import Caller, Last
from server.sync.protocol import wire
from server.sync.pulling import cursors, entities, pull
from server.sync.pulling.cursors import Position
from server.sync.pulling.feeding import Item, looked_for
from server.sync.pulling.standing import asked, last_of, question, told

MOST = 200
"""Changes of which a page is made here."""

log = logging.getLogger(__name__)


def page(caller: Scope, request: wire.PullRequest) -> str | None:
    """A whole `wire.PullReply`, as JSON; None when there is more to say, or something to be found out first.

    Refuses a phone that may not call any more.
    """
    known = last_of(caller)
    if known is None or not isinstance(caller, Caller) or len(request.groups) != 1:
        return None
    (group,), now = request.groups, clock.now()
    wanted, position = list(dict.fromkeys(group.buckets)), reached(group.cursor, known.secret, now, request.epoch)
    if position is None or not wanted:
        return None
    try:
        with asking() as moment:
            return answered(moment, caller, known, request, wanted, position)
    except Error as error:  # the long way says what it is, if it is anything
        log.info("a short pull was answered the long way: %s", error)
        return None


def answered(
    asking: Asking, caller: Caller, known: Last, request: wire.PullRequest, wanted: list[int], position: Position
) -> str | None:
    """The page, from one moment of the database."""
    limit = min(request.limit, MOST)
    values = asked(caller, known) | looked_for(wanted, position, limit)
    found = asking.ask(question(known.scope.level("accounts:read")), values)
    moment, scope, schema, allowed = told(caller, found[0][1:] if found else None)
    same = (
        (scope, moment.secret) == known
        and moment.epoch == request.epoch
        and (schema is None or schema >= wire.SCHEMA_MIN)
        and allowed.keys() >= set(wanted)  # a phone may name any bucket: what it is told of is what it may read
        and position.gens == {one: allowed[one].gen for one in wanted}
        and pull.first_unseen(position.seen) <= pull.first_unseen(moment.snapshot)
    )
    unknown = entities.unknown(schema)
    items = [one for one in map(Item._make, found[0][0] or ()) if one.code not in unknown]
    rows = rows_of(asking, scope, items) if same and len(found[0][0] or ()) < limit else None
    if rows is None:
        return None
    cursor = cursors.sign(position.done(moment.snapshot), moment.secret, moment.now)
    return pull.replied([*allowed], more=False, groups=[pull.spelled(wanted, cursor, rows, complete=True)])


def rows_of(asking: Asking, scope: Scope, items: Sequence[Item]) -> list[str] | None:
    """The items with their documents; None where rights decide about single rows, or they are too large for a page."""
    found = {}
    for code, ids in pull.present_in(items).items():
        entity = entities.BY_CODE[code]
        if not entities.is_open(scope, entity):
            return None
        statement, values = entities.documents(scope, entity, ids)
        found[code] = entities.by_id(asking.ask(worded(statement), values))
    rows = pull.rows_of(items, found)
    return rows if len(rows) == len(items) else None


def reached(cursor: str | None, secret: bytes, now: datetime, epoch: str) -> Position | None:
    """Where a phone stands that has read everything up to some moment; None for others, and for a cursor to refuse."""
    try:
        position = cursors.read(cursor, secret, now, epoch) if cursor else None
    except WaymarkError:
        return None
    return position if position is not None and position.target is None else None
