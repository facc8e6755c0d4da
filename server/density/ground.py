"""The hexagons that somebody sees, as SQL: a coarse one is the sum of its finest ones in the reader's reach.

Its middle says nothing of its ground: a hexagon that reaches over a border counts on each side what lies there.
"""

from typing import Any

from sqlalchemy import TextClause, text

from server.density.counting import FINEST, Z2
from server.density.reach import IN_REACH, Reach

PARTS = """
    geom && ST_Expand(c.geom, 0.3 * (ST_XMax(c.geom) - ST_XMin(c.geom))) and resolution = :finest
    and h3_parent(cell, c.resolution) = c.cell and IN_REACH
""".replace("IN_REACH", IN_REACH)
"""The finest hexagons of `c` that somebody sees; small ones stick out of the larger one that counts them."""

WILSON = """
    greatest(0, (share + :z2 / (2 * n) - root) / (1 + :z2 / n)) as low,
    least(1, (share + :z2 / (2 * n) + root) / (1 + :z2 / n)) as high
"""
ROOT = "sqrt(:z2 * (share * (1 - share) + :z2 / (4 * n)) / n) as root"

_SUMMED = (
    """
    select cell, resolution, geom, prospects, customers, share as penetration, WILSON, expected, variance, value
    from (
        select *, ROOT
        from (
            select c.cell, c.resolution, c.geom, part.*, (part.prospects + part.customers)::float8 as n,
                   (part.customers / (part.prospects + part.customers))::float8 as share
            from density_cell c join lateral (
                select sum(prospects) as prospects, sum(customers) as customers, sum(expected) as expected,
                       sum(variance) as variance, sum(value) as value
                from density_cell_now where PARTS having sum(prospects + customers) > 0
            ) part on true
            where WHERE
        ) shares
    ) roots
""".replace("WILSON", WILSON)
    .replace("ROOT", ROOT)
    .replace("PARTS", PARTS)
)
_WHOLE = """
    select cell, resolution, geom, prospects, customers, penetration, low, high, expected, variance, value
    from density_cell_now c where WHERE
"""

ONE_SEEN = """
    (:everywhere or exists (select from density_cell where cell = h3_parent(p.cell, :finest) and IN_REACH))
""".replace("IN_REACH", IN_REACH)
"""Whether somebody sees a prospect `p`."""


WORKED = """
    c.territory_id in (
        select m.territory_id from territory_member m join app_user u on u.id = m.user_id and u.active
        where m.valid_from <= :today and (m.valid_to is null or m.valid_to > :today) and u.deleted_at is null
    )
"""
"""Whether somebody works the territory of a hexagon `c` today."""
NOBODYS = f"(c.territory_id is null or not ({WORKED}))"
SOMEBODYS = f"({WORKED} and (:any_territory or c.territory_id = :territory))"
"""Ground of either kind of white space."""


def seen_cells(statement: str, where: str) -> dict[bool, TextClause]:
    """A statement over SEEN_CELLS, those hexagons `c` that fulfil a condition; by whether everything is seen."""
    return {
        everywhere: text(statement.replace("SEEN_CELLS", cells.replace("WHERE", where)))
        for everywhere, cells in ((True, _WHOLE), (False, _SUMMED))
    }


def values(reach: Reach) -> dict[str, Any]:
    """What these statements ask, beside what they name themselves."""
    return {**reach.values, "finest": FINEST, "z2": Z2}
