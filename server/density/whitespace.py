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
from sqlalchemy import select, text
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


_OPEN = """
    select whole.cell, mode() within group (order by c.territory_id) as territory_id,
           mode() within group (order by t.name) as territory,
           (sum(k.prospects) - coalesce(sum(lead.count), 0))::int as prospects,
           sum((k.prospects - coalesce(lead.count, 0)) * trade.rate * trade.value) as value,
           (array_agg(c.cell order by k.prospects desc, c.cell))[1] as busiest,
           coalesce(sum(lead.open), 0)::int as worked
    from density_cell c cross join lateral h3_parent(c.cell, :resolution) as whole (cell)
    join density_count k on k.cell = c.cell and k.prospects > 0 and (:any_kind or k.trade_id = any(:trades))
    join density_trade trade on trade.id = k.trade_id
    left join (
        select h3_parent(p.cell, :finest) as cell, dt.id as trade_id, count(distinct p.id) as count,
               count(distinct p.id) filter (where l.state in ('new', 'working', 'qualified')) as open
        from white_space_item i join lead l on l.id = i.row_id and l.deleted_at is null
        join prospect p on p.id = i.prospect_id join density_trade dt on dt.kind = p.kind
        where not exists (select from density_customer known where known.prospect_id = p.id)
        group by 1, 2
    ) lead on lead.cell = c.cell and lead.trade_id = k.trade_id
    left join territory t on t.id = c.territory_id
    where c.resolution = :finest and IN_REACH and ({ground})
    group by whole.cell having sum(k.prospects) > coalesce(sum(lead.count), 0)
    order by value desc, prospects desc, whole.cell
""".replace("IN_REACH", IN_REACH.replace("territory_id", "c.territory_id"))
"""The ground is judged by the finest hexagons; a coarse one is of the territory of most of what counts of it."""
_UNASSIGNED = text(_OPEN.format(ground=NOBODYS))
_ASSIGNED = text(_OPEN.format(ground=SOMEBODYS))
_OWNED = text(
    """
    select c.cell from density_cell c
    where c.cell = any(:cells) and exists (
        select from site s join account a on a.id = s.account_id
        where s.pin && ST_Transform(c.geom, 4326) and ST_Covers(ST_Transform(c.geom, 4326), s.pin)
          and s.deleted_at is null and a.deleted_at is null and a.merged_into is null and a.owner_id is not null
    )
    """
)
_KINDS = text(
    """
    select k.cell, t.kind, sum(k.prospects) from density_count_now k join density_trade t on t.id = k.trade_id
    where k.cell = any(:cells) and (:any_kind or k.trade_id = any(:trades))
    group by k.cell, t.kind having sum(k.prospects) > 0
    order by 3 desc, t.kind
    """
)
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
    found = _gaps(session, scope, wish)
    by_value = sees_values(scope) and any(gap.value > 0 for gap in found)
    if not sees_values(scope):
        found = [replace(gap, value=0.0) for gap in found]
    if wish.which is Which.UNASSIGNED:
        owned = set(session.scalars(_OWNED, {"cells": [h3.str_to_int(gap.cell) for gap in found]}))
        found = [gap for gap in found if h3.str_to_int(gap.cell) not in owned]
    starts = session.execute(_STARTS).all()

    def promise(gap: Gap) -> float:
        worth = gap.value if by_value else float(gap.firms)
        return per_hour(worth, AWAY_H, gap.visit_h) if starts else worth

    chosen = sorted(found, key=lambda gap: (-promise(gap), gap.cell))[:CANDIDATES]
    driven = _driven(session, chosen, starts, _members(session, scope), by_value=by_value)
    best = driven[:SHOWN]
    return Ranked(
        gaps=_with_kinds(session, best, wish.kind),
        total=len(found),
        by_value=by_value,
        has_start=bool(starts),
        days=wish.days,
    )


def _gaps(session: Session, scope: Scope, wish: Wish) -> list[Gap]:
    """Every hexagon of white space, not ranked yet. Refuses a territory that is not there."""
    need_territory(session, wish.territory_id)
    seen = reach.of(session, scope)
    asked = {
        **seen.values, **_of_kind(session, wish.kind), "resolution": RESOLUTION, "finest": FINEST,
        "today": today_of(scope),
    }  # fmt: skip
    if wish.which is Which.UNASSIGNED:
        rows = [] if wish.account_class else session.execute(_UNASSIGNED, asked).all()
        return [_gap(row) for row in rows]
    asked |= {"any_territory": wish.territory_id is None, "territory": wish.territory_id}
    rows = [] if wish.account_class else session.execute(_ASSIGNED, asked).all()
    gaps = {gap.cell: gap for gap in map(_gap, rows)}
    if wish.kind is None:
        since = today_of(scope) - timedelta(days=wish.days)
        idle = idle_accounts(
            session, scope, since=since, territory_id=wish.territory_id, account_class=wish.account_class
        )
        leads = idle_leads(session, scope, since=since, territory_id=wish.territory_id)
        _add(gaps, [*idle, *([] if wish.account_class else leads)])
    return list(gaps.values())


def need_territory(session: Session, territory_id: UUID | None) -> None:
    """Refuse a territory that is not there."""
    there = select(Territory.id).where(Territory.id == territory_id, Territory.deleted_at.is_(None))
    if territory_id is not None and session.scalar(there) is None:
        raise Invalid("There is no such territory.", help="Choose one of the list.", field="territory_id")


def _gap(row: Any) -> Gap:
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


def _with_kinds(session: Session, gaps: Sequence[Gap], wanted: str | None) -> list[Gap]:
    """Add the commonest kinds, of those that are looked for."""
    kinds: dict[int, list[tuple[str, int]]] = {}
    asked = {"cells": [h3.str_to_int(gap.cell) for gap in gaps], **_of_kind(session, wanted)}
    for cell, kind, count in session.execute(_KINDS, asked):
        kinds.setdefault(cell, []).append((kind, count))
    return [replace(gap, kinds=tuple(kinds.get(h3.str_to_int(gap.cell), [])[:3])) for gap in gaps]
