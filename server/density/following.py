"""Takes in what was noted since the last count. A newer extract is followed by the prospects that it brings, changes
and takes away; the others are not read.

Publishing it noted them (`regions.service.publish`). Here they become a temporary table `firm`, and the customers who
may be another prospect now become `rematched`; these and the sites and accounts that triggers noted become `turned`:
`counting` goes on from there. `firm` and `rematched` are empty when the regions are the same.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.density import counting
from server.density.models import DensityState

MOST_SHARE = 0.2
"""Of all firms: when more have changed, everything is counted anew."""

_IS_FOLLOWED = text(
    """
    select cardinality(counted.ids) = (select count(*) from region where state = 'ready')
       and not exists (
           select from region r
           where r.state = 'ready' and not (r.id = any(counted.ids) or r.replaced && counted.ids)
       )
       and (select count(*) from prospect_changed) <= :share * (
           select coalesce(sum(prospects + customers), 0) from density_count_now where cell >= :from and cell < :below
       )
       and not exists (
           select from prospect_changed n join region r on r.state = 'ready' and r.name <> n.region
           join prospect p on p.region_id = r.id and p.id = n.prospect_id
       )
       and not exists (select from prospect_changed group by prospect_id having min(region) <> max(region))
    from (select cast(string_to_array(:inputs, ',') as uuid[]) as ids) counted
    """
)
"""Whether the notes tell all that differs from the regions that were counted. A prospect of two regions is counted
once, and not by what one of them says."""

_TABLES = (
    text(
        """
        create temporary table firm (
            id uuid primary key, was_cell bigint, was_trade_id smallint, name text, cell bigint, trade_id smallint,
            pin geometry
        ) on commit drop
        """
    ),
    text("create temporary table rematched (site_id uuid primary key) on commit drop"),
)
_FORGET = text("delete from prospect_changed")

_KINDS = text(
    """
    insert into density_trade (kind, rate, value)
    select kind, s.usual_rate, s.usual_value from (select distinct kind from prospect_changed) n, density_state s
    where kind is not null and not exists (select from density_trade t where t.kind = n.kind) order by kind
    """
)
"""Nobody knows more of a new kind than of all of them, until it is learned."""

_FIRM = text(
    """
    insert into firm
    select prospect_id, h3_parent(was_cell, :finest), old.id, name, h3_parent(cell, :finest), new.id, pin
    from (
        select prospect_id, name, kind, cell, pin, lead(id) over notes as later,
               first_value(was_kind) over notes as was_kind, first_value(was_cell) over notes as was_cell
        from prospect_changed window notes as (partition by prospect_id order by id)
    ) n
    left join density_trade old on old.kind = was_kind
    left join density_trade new on new.kind = n.kind
    where later is null
    """
)
"""As it was before the first note, and as it is after the last."""

_REMATCHED = text(
    """
    insert into rematched
    select site_id from density_customer where prospect_id in (select id from firm)
    union
    select c.site_id from (
        select search_text(name) as plain,
               ST_Expand(pin, :degrees / greatest(0.02, cosd(ST_Y(pin))) + :grid / 2, :degrees + :grid / 2) as around
        from firm where pin is not null order by pin offset 0
    ) f
    join density_customer c on c.near && f.around
    where c.plain_name = f.plain or similarity(c.plain_name, f.plain) >= :similarity
    """
)
"""Customers whose prospect changed, and those near whom, a little more than need be, one of much the same name came.
Who has become a customer, moved or changed the name since is among the sites that turned."""

_TURNED = (
    text(
        """
        create temporary table noted on commit drop as
        with taken as (delete from density_changed returning site_id, account_id) select * from taken
        """
    ),
    text("analyze noted"),
    text(
        """
        create temporary table turned on commit drop as
        select site_id from noted where site_id is not null union select site_id from rematched
        union select site.id from noted join site using (account_id)
        """
    ),
    text("analyze turned"),
)


def differs(session: Session, state: DensityState | None, regions: str) -> bool:
    """Whether the served regions are others than those that were counted, in more than the notes tell."""
    if state is None or "-" in (state.inputs, regions):
        return state is None or state.inputs != regions
    if state.inputs == regions:
        return False
    asked = {"inputs": state.inputs, "share": MOST_SHARE, **counting.COARSEST_CELLS}
    return not session.execute(_IS_FOLLOWED, asked).scalar_one()


def take_in(session: Session, *, follows: bool) -> None:
    """Make tables of what was noted and take the notes away; those of prospects say nothing more when everything is
    counted."""
    for statement in _TABLES:
        session.execute(statement)
    if follows:
        session.execute(_KINDS)
        session.execute(_FIRM, {"finest": counting.FINEST})
        session.execute(text("analyze firm (id)"))
        around = {"degrees": counting.SAME_FIRM["degrees"], "similarity": counting.SAME_FIRM["similarity"]}
        session.execute(_REMATCHED, {**around, "grid": counting.GRID_DEGREES})
        session.execute(text("analyze rematched"))
    session.execute(_FORGET)
    for statement in _TURNED:
        session.execute(statement)
