"""White space, two kinds apart: ground that is nobody's, and ground of somebody's where nobody goes.

Both are ranked by what working a hexagon is expected to bring a year for an hour of work, drive and visits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import h3
import numpy as np
from h3.api.basic_int import latlng_to_cell as cell_number
from sqlalchemy import TextClause, select, text
from sqlalchemy.orm import Session

from geo.types import LonLat
from geo.whitespace import drive_hours, per_hour
from routing.roads.straight import StraightLine
from routing.roads.types import RoadsUnavailable
from server.accounts.models import AccountClass
from server.accounts.reach import today_of
from server.auth.access import Scope
from server.density import queries, reach
from server.density.counting import FINEST
from server.density.ground import NOBODYS, SOMEBODYS
from server.density.idle import Idle, idle_accounts, idle_leads
from server.density.reach import IN_REACH
from server.kit.errors import Invalid
from server.roads import service as roads
from server.territories.models import Territory

RESOLUTION = 8
"""Hexagons of about 0.7 km²: a morning on foot."""
CANDIDATES = 500
SHOWN = 200
"""So many of the best by the estimate are listed, each with its drive by road."""
LONGEST_DAYS = 3650
VISIT_S = 1800
"""A first visit takes so long, as at a new site; at an account as long as is planned there."""
AWAY_H = 1.0
"""So much drive is assumed of every hexagon to choose the candidates whose drives are measured."""


class Which(StrEnum):
    """A kind of white space."""

    UNASSIGNED = "unassigned"
    """In no territory that anybody works, and no account there has an owner."""
    UNWORKED = "unworked"
    """In somebody's territory, without a visit for some time."""


@dataclass(frozen=True)
class Wish:
    """What is asked for."""

    which: Which = Which.UNASSIGNED
    territory_id: UUID | None = None
    kind: str | None = None
    account_class: AccountClass | None = None
    """Counts only accounts of the class; prospects and leads have none."""
    days: int = 90
    """Unworked: no visit for so long."""


@dataclass(frozen=True)
class Gap:
    """A hexagon of white space."""

    cell: str
    at: LonLat
    """Where most of its firms are: the middle of a large hexagon may lie on a mountain, far from any road."""
    territory_id: UUID | None
    territory: str | None
    prospects: int
    """That are neither customers nor leads."""
    leads: int = 0
    accounts: int = 0
    worked: int = 0
    """Open leads that were made of its prospects: these do not count any more."""
    kinds: tuple[tuple[str, int], ...] = ()
    """The commonest kinds of the prospects."""
    value: float = 0.0
    """Expected a year: Σ rate x mean value of the kind."""
    rep_id: UUID | None = None
    rep: str | None = None
    """Whose start is nearest."""
    out_s: int | None = None
    """Seconds from there; None: nobody has a start."""
    by_road: bool = False
    """By the road graph; otherwise by the straight line."""
    drive_h: float | None = None
    accounts_s: int = 0
    """Planned length of the visits to the accounts, together."""
    per_hour: float = 0.0
    """Value, or firms where nothing is known of values, for an hour of driving and visiting; without a start for the
    cell."""

    @property
    def firms(self) -> int:
        """All that could be called on."""
        return self.prospects + self.leads + self.accounts

    @property
    def visit_h(self) -> float:
        """Hours of one visit to each, a minute at least."""
        return max(60, (self.prospects + self.leads) * VISIT_S + self.accounts_s) / 3600


@dataclass(frozen=True)
class Ranked:
    """White space in its order, with how it was ranked."""

    gaps: list[Gap]
    total: int
    """Hexagons found; the list shows the best."""
    by_value: bool
    """By money; otherwise by firms, because nothing is known of values or they may not be seen."""
    has_start: bool
    """Whether anybody has a start of the day."""
    days: int

    def level(self, rank: int, classes: int) -> int:
        """The class of the hexagon of a rank, 1 the best: equally many in each, the highest for the best."""
        return ((len(self.gaps) + 1 - rank) * classes - 1) // len(self.gaps)


_LEADS = """
    select h3_parent(p.cell, :finest) as cell, dt.id as trade_id, dt.rate * dt.value as worth,
           count(distinct p.id) as count,
           count(distinct p.id) filter (where l.state in ('new', 'working', 'qualified')) as open
    from white_space_item i join lead l on l.id = i.row_id and l.deleted_at is null
    join prospect p on p.id = i.prospect_id join density_trade dt on dt.kind = p.kind
    where not exists (select from density_customer known where known.prospect_id = p.id)
    group by h3_parent(p.cell, :finest), dt.id
"""
_OF_ALL = """
    select c.cell, c.territory_id, c.prospects, c.value from density_cell_now c
    where c.resolution = :finest and c.prospects > 0 and IN_REACH and ({ground})
"""
_OF_KINDS = """
    select c.cell, c.territory_id, sum(k.prospects)::int as prospects,
           sum(k.prospects * trade.rate * trade.value) as value
    from density_cell c join density_count_now k on k.cell = c.cell and k.trade_id = any(:trades)
    join density_trade trade on trade.id = k.trade_id
    where c.resolution = :finest and IN_REACH and ({ground})
    group by c.cell having sum(k.prospects) > 0
"""
_OPEN = """
    with lead as (
        select cell, sum(count)::int as count, sum(count * worth) as value, sum(open)::int as open
        from ({leads}) of_kinds where :any_kind or trade_id = any(:trades) group by cell
    ),
    wholes as (
        select h3_parent(f.cell, :resolution) as cell, sum(f.prospects - coalesce(lead.count, 0))::int as prospects,
               greatest(0, sum(f.value - coalesce(lead.value, 0))) as value, coalesce(sum(lead.open), 0)::int as worked
        from ({finest}) f left join lead on lead.cell = f.cell group by 1
    ),
    gaps as materialized (select * from wholes where prospects > 0 and {free}),
    found as materialized (select count(*)::int as total, coalesce(max(value), 0) > 0 as valued from gaps),
    best as (
        (select gaps.* from gaps, found order by case when :values and valued then value else prospects end
            / case when :has_start then :away_h + prospects * :visit_s / 3600.0 else 1 end desc, cell limit :most)
        union select * from gaps where cell = any(:also)
    )
    select found.*, best.*, part.busiest, t.id as territory_id, t.name as territory
    from found left join best on true
    left join lateral (
        select mode() within group (order by f.territory_id) as territory_id,
               (array_agg(f.cell order by f.prospects desc, f.cell))[1] as busiest
        from ({finest}) f, h3_parent(best.cell, :finest) as whole (cell)
        where f.cell = any(array[{parts}])
    ) part on true
    left join territory t on t.id = part.territory_id
"""
"""The best of the hexagons by the estimate, and those that are asked for; one row of nothing where there are none.

The ground is judged by the finest hexagons; a coarse one is of the territory of most of them. All kinds together stand
in the cells, so that no count is read."""
_PARTS = ", ".join(f"(whole.cell & {~(7 << 18)}) | {digit << 18}" for digit in range(7))
"""The seven hexagons of resolution 9 in one of 8, by their last digit; of a range a ninth of all is expected."""


_OWNED = text(
    """
    select ST_Y(s.pin), ST_X(s.pin) from site s join account a on a.id = s.account_id
    where s.pin is not null and s.deleted_at is null and a.deleted_at is null and a.merged_into is null
      and a.owner_id is not null
    """
)


def _open(ground: str, free: str) -> dict[bool, TextClause]:
    """The statement for one kind of ground; by whether prospects of any kind count."""
    in_reach = IN_REACH.replace("territory_id", "c.territory_id")
    return {
        any_kind: text(
            _OPEN.format(
                parts=_PARTS, leads=_LEADS, free=free, finest=of.replace("IN_REACH", in_reach).format(ground=ground)
            )
        )
        for any_kind, of in ((True, _OF_ALL), (False, _OF_KINDS))
    }


_UNASSIGNED = _open(NOBODYS, "cell <> all(cast(:owned as bigint[]))")
_ASSIGNED = _open(SOMEBODYS, "true")
_KINDS = text(
    """
    select gap.cell, t.kind, sum(k.prospects)
    from unnest(cast(:cells as bigint[])) as gap (cell), h3_parent(gap.cell, :finest) as whole (cell),
         density_cell c, density_count_now k, density_trade t
    where c.cell = any(array[PARTS]) and IN_REACH and k.cell = c.cell and t.id = k.trade_id
      and (:any_kind or k.trade_id = any(:trades))
    group by gap.cell, t.kind having sum(k.prospects) > 0
    order by 3 desc, t.kind
    """.replace("PARTS", _PARTS).replace("IN_REACH", IN_REACH)
)
"""Only of the finest hexagons that somebody sees: a coarse one may lie across a border."""
_STARTS = text(
    """
    select u.id, u.name, ST_X(p.home), ST_Y(p.home) from rep_profile p join app_user u on u.id = p.user_id
    where p.home is not null and u.active and u.deleted_at is null order by u.name, u.id
    """
)
_MEMBERS = text(
    """
    select territory_id, user_id from territory_member
    where valid_from <= :today and (valid_to is null or valid_to > :today)
    """
)


def sees_values(scope: Scope) -> bool:
    """Whether somebody may know what customers are worth."""
    return scope.sees("account", "yearly_value") and scope.sees("account", "yearly_potential")


def ranked(session: Session, scope: Scope, wish: Wish) -> Ranked:
    """White space that somebody sees, the best hour of work first."""
    need_territory(session, wish.territory_id)
    starts, seen = session.execute(_STARTS).all(), reach.of(session, scope)
    found, total, valued = _gaps(session, scope, seen, wish, has_start=bool(starts))
    by_value = sees_values(scope) and valued
    if not sees_values(scope):
        found = [replace(gap, value=0.0) for gap in found]

    def promise(gap: Gap) -> float:
        worth = gap.value if by_value else float(gap.firms)
        return per_hour(worth, AWAY_H, gap.visit_h) if starts else worth

    chosen = sorted(found, key=lambda gap: (-promise(gap), gap.cell))[:CANDIDATES]
    driven = _driven(session, chosen, starts, _members(session, scope), by_value=by_value)
    best = driven[:SHOWN]
    return Ranked(
        gaps=_with_kinds(session, seen, best, wish.kind),
        total=total,
        by_value=by_value,
        has_start=bool(starts),
        days=wish.days,
    )


def _gaps(
    session: Session, scope: Scope, seen: reach.Reach, wish: Wish, *, has_start: bool
) -> tuple[list[Gap], int, bool]:
    """The best hexagons of white space by the estimate, and all with accounts or leads in them; how many there are, and
    whether any has a value."""
    added: list[Idle] = []
    if wish.which is Which.UNWORKED and wish.kind is None:
        since, of = today_of(scope) - timedelta(days=wish.days), wish.territory_id
        added += idle_accounts(session, scope, since=since, territory_id=of, account_class=wish.account_class)
        if not wish.account_class:
            added += idle_leads(session, scope, since=since, territory_id=of)
    gaps: dict[str, Gap] = {}
    total, valued = 0, any(one.value > 0 for one in added)
    if not wish.account_class:
        also = {cell_number(one.at.lat, one.at.lon, RESOLUTION) for one in added}
        asked = {
            **seen.values, **_of_kind(session, wish.kind),
            "resolution": RESOLUTION, "finest": FINEST, "today": today_of(scope), "most": CANDIDATES,
            "also": list(also), "values": sees_values(scope),
            "has_start": has_start, "away_h": AWAY_H, "visit_s": VISIT_S,
        }  # fmt: skip
        if wish.which is Which.UNASSIGNED:
            asked["owned"] = list({cell_number(lat, lon, RESOLUTION) for lat, lon in session.execute(_OWNED)})
        else:
            asked |= {"any_territory": wish.territory_id is None, "territory": wish.territory_id}
        statement = (_UNASSIGNED if wish.which is Which.UNASSIGNED else _ASSIGNED)[wish.kind is None]
        rows = session.execute(statement, asked).all()
        total, valued = rows[0].total, valued or rows[0].valued
        gaps = {gap.cell: gap for gap in map(_gap, rows) if gap is not None}
    before = len(gaps)
    _add(gaps, added)
    return list(gaps.values()), total + len(gaps) - before, valued


def need_territory(session: Session, territory_id: UUID | None) -> None:
    """Refuse a territory that is not there."""
    there = select(Territory.id).where(Territory.id == territory_id, Territory.deleted_at.is_(None))
    if territory_id is not None and session.scalar(there) is None:
        raise Invalid("There is no such territory.", help="Choose one of the list.", field="territory_id")


def _gap(row: Any) -> Gap | None:
    if row.cell is None:
        return None
    name = h3.int_to_str(row.cell)
    lat, lon = h3.cell_to_latlng(h3.int_to_str(row.busiest))
    known = {"worked": row.worked, "value": float(row.value or 0)}
    return Gap(name, LonLat(lon, lat), row.territory_id, row.territory, row.prospects, **known)


def _add(gaps: dict[str, Gap], idle: Iterable[Idle]) -> None:
    """Put accounts and leads into their hexagons."""
    for one in idle:
        name = h3.latlng_to_cell(one.at.lat, one.at.lon, RESOLUTION)
        gap = gaps.get(name) or Gap(name, one.at, one.territory_id, one.territory, 0)
        gaps[name] = replace(
            gap,
            accounts=gap.accounts + (not one.is_lead),
            leads=gap.leads + one.is_lead,
            accounts_s=gap.accounts_s + one.service_s,
            value=gap.value + one.value,
        )


def _members(session: Session, scope: Scope) -> dict[UUID, set[UUID]]:
    """Who works each territory today."""
    found: dict[UUID, set[UUID]] = {}
    for territory_id, user_id in session.execute(_MEMBERS, {"today": today_of(scope)}):
        found.setdefault(territory_id, set()).add(user_id)
    return found


def _driven(
    session: Session, gaps: list[Gap], starts: Sequence[Any], members: dict[UUID, set[UUID]], *, by_value: bool
) -> list[Gap]:
    """Add drives: all by the straight line first, the best again by road."""

    def worth(gap: Gap) -> float:
        return gap.value if by_value else float(gap.firms)

    if not starts or not gaps:
        return sorted((replace(gap, per_hour=worth(gap)) for gap in gaps), key=lambda gap: (-gap.per_hour, gap.cell))
    homes = [LonLat(row[2], row[3]) for row in starts]
    rough = _nearest(gaps, starts, members, StraightLine().matrix(homes, [gap.at for gap in gaps]), worth)
    best = rough[:SHOWN]
    targets = [gap.at for gap in best]
    try:
        matrix = roads.engine(session, [*homes, *targets]).matrix(homes, targets)
    except RoadsUnavailable:
        return best
    return _nearest(best, starts, members, matrix, worth)


def _nearest(
    gaps: Sequence[Gap], starts: Sequence[Any], members: dict[UUID, set[UUID]], matrix: Any, worth: Any
) -> list[Gap]:
    """Each hexagon with the rep nearest to it, of its own territory where one has a start; in order."""
    found = []
    for column, gap in enumerate(gaps):
        own = [i for i, row in enumerate(starts) if gap.territory_id and row[0] in members.get(gap.territory_id, ())]
        among = own or range(len(starts))
        at = min(among, key=lambda i: (matrix.seconds[i, column], i))
        out_s = int(matrix.seconds[at, column])
        drive_h = drive_hours(out_s, gap.firms, h3.cell_area(gap.cell, unit="km^2"))
        found.append(
            replace(
                gap,
                rep_id=starts[at][0],
                rep=starts[at][1],
                out_s=out_s,
                by_road=not bool(np.asarray(matrix.estimated)[at, column]),
                drive_h=drive_h,
                per_hour=per_hour(worth(gap), drive_h, gap.visit_h),
            )
        )
    return sorted(found, key=lambda gap: (-gap.per_hour, gap.cell))


def _of_kind(session: Session, kind: str | None) -> dict[str, Any]:
    """What statements ask of a kind, or of all."""
    return {"any_kind": kind is None, "trades": [] if kind is None else queries.trades_of(session, kind)}


def _with_kinds(session: Session, seen: reach.Reach, gaps: Sequence[Gap], wanted: str | None) -> list[Gap]:
    """Add the commonest kinds, of those that are looked for."""
    kinds: dict[int, list[tuple[str, int]]] = {}
    asked = {"cells": [h3.str_to_int(gap.cell) for gap in gaps], "finest": FINEST, **_of_kind(session, wanted)}
    asked |= seen.values
    for cell, kind, count in session.execute(_KINDS, asked):
        kinds.setdefault(cell, []).append((kind, count))
    return [replace(gap, kinds=tuple(kinds.get(h3.str_to_int(gap.cell), [])[:3])) for gap in gaps]
