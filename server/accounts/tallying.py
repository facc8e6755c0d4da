"""Counts accounts by the squares of the map's tiles, before anybody asks: only what has changed is touched.

Triggers note the sites whose account or place has changed. Until they are counted again, a tile takes them out of the
counts as they were and adds them as they are (`tally_tiles`): it is true at every moment. `tile_square` is our own
function, see migration 0077.
"""

from psycopg.errors import LockNotAvailable
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from server.kit.locks import one_at_a_time

FINEST = 24
"""Levels of squares in which sites are kept: the finest are 2.4 m wide at the equator."""
COARSEST_KEPT, FINEST_KEPT = 4, 12
"""Levels whose counts are kept; of finer ones the sites themselves are few enough to count."""
MANY = 5_000
"""So many changes change the statistics by which the database plans."""
LARGE = 256 * 1024
"""From so many bytes on the list of what has changed is worth emptying for good."""

_TURN = (
    text(
        """
        create temporary table noted on commit drop as
        with taken as (delete from account_changed returning site_id, account_id) select * from taken
        """
    ),
    text("analyze noted"),
    text(
        """
        create temporary table turn on commit drop as
        select site_id from noted where site_id is not null
        union select site.id from noted join site using (account_id)
        """
    ),
    text("analyze turn"),
)
_WAS = text(
    """
    create temporary table was on commit drop as
    with taken as (delete from account_spot s using turn where s.site_id = turn.site_id returning s.*)
    select * from taken
    """
)
_IS = text(
    """
    insert into account_spot (site_id, account_id, square, x, y, status, account_class, owner_id, territory_id,
        site_territory_id)
    select s.id, a.id, at.square, at.x, at.y, a.status, a.account_class, a.owner_id, a.territory_id, s.territory_id
    from turn join site s on s.id = turn.site_id join account a on a.id = s.account_id, tile_square(s.pin) at
    where s.deleted_at is null and a.deleted_at is null and a.merged_into is null and at.square is not null
    """
)
_COUNT = text(
    """
    insert into account_tally (level, square, status, account_class, owner_id, territory_id, sites, x, y)
    select level, square >> (2 * (:finest - level)), status, account_class, owner_id, territory_id,
           sum(sites), sum(sites * x::bigint), sum(sites * y::bigint)
    from (
        select 1 as sites, square, x, y, status, account_class, owner_id, territory_id
        from account_spot join turn using (site_id)
        union all
        select -1, square, x, y, status, account_class, owner_id, territory_id from was
    ) parts, generate_series(cast(:coarsest as int), :finest_kept) level
    group by 1, 2, 3, 4, 5, 6 having sum(sites) <> 0 or sum(sites * x::bigint) <> 0 or sum(sites * y::bigint) <> 0
    order by 1, 2
    on conflict (level, square, status, account_class, owner_id, territory_id) do update
    set sites = account_tally.sites + excluded.sites, x = account_tally.x + excluded.x, y = account_tally.y + excluded.y
    """
)
_DROP_EMPTY = text("delete from account_tally where sites = 0")


def count(session: Session) -> int:
    """Count what has changed since the last time; returns how many sites that were."""
    session.flush()
    one_at_a_time(session, "tally of accounts")
    if session.scalar(text("select true from account_changed limit 1")) is None:
        return 0
    session.execute(text("drop table if exists pg_temp.noted, pg_temp.turn, pg_temp.was"))
    session.execute(text("set local work_mem = '128MB'"))
    for statement in _TURN:
        session.execute(statement)
    changed: int = session.execute(text("select count(*) from turn")).scalar_one()
    session.execute(_WAS)
    session.execute(_IS)
    levels = {"coarsest": COARSEST_KEPT, "finest_kept": FINEST_KEPT, "finest": FINEST}
    session.execute(_COUNT, levels)
    session.execute(_DROP_EMPTY)
    if changed > MANY:
        session.execute(text("analyze account_spot, account_tally"))
    return changed


def shrink(session: Session) -> None:
    """Give back the room that many noted sites took, which each tile would read through; not while somebody notes any.

    A transaction of its own: whoever writes accounts waits for its lock.
    """
    if (session.scalar(text("select pg_relation_size('account_changed')")) or 0) < LARGE:
        return
    try:
        with session.begin_nested():
            session.execute(text("lock table account_changed in access exclusive mode nowait"))
            if session.scalar(text("select true from account_changed limit 1")) is None:
                session.execute(text("truncate account_changed"))
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise


def note_all(session: Session) -> None:
    """Have every site counted again: after rows were written past the triggers."""
    session.execute(
        text(
            "insert into account_changed (site_id) select id from site where pin is not null"
            " union select site_id from account_spot"
        )
    )
