"""What a change of territories moves, told before it is saved: accounts, hours, value and potential."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from server.balance.drafts import Draft
from server.balance.workload import WORK
from server.kit.database import copy_rows


@dataclass(frozen=True)
class Move:
    """Accounts that go from one territory to another."""

    from_id: UUID | None
    """None: they lay in no territory."""
    to_id: UUID | None
    """None: they lie in no territory any more."""
    accounts: int
    hours: float
    """A year."""
    value: float
    potential: float


@dataclass(frozen=True)
class Total:
    """What a territory asks before and after."""

    territory_id: UUID
    accounts_before: int
    accounts_after: int
    hours_before: float
    hours_after: float
    value_before: float
    value_after: float
    potential_before: float
    potential_after: float


@dataclass(frozen=True)
class Effects:
    """All that a change moves."""

    moves: tuple[Move, ...]
    totals: tuple[Total, ...]
    by_hand: int
    """Accounts that lie elsewhere by the new outlines, but were assigned by hand and stay."""
    people: tuple[dict[str, Any], ...] = ()
    """Who works a territory before and after (`people.changed`)."""

    @property
    def accounts(self) -> int:
        """How many accounts move."""
        return sum(move.accounts for move in self.moves)

    def wire(self) -> dict[str, Any]:
        """As it is stored and sent."""
        return {
            "accounts": self.accounts,
            "hours": sum(move.hours for move in self.moves),
            "value": sum(move.value for move in self.moves),
            "by_hand": self.by_hand,
            "people": list(self.people),
            "moves": [_plain(asdict(move)) for move in self.moves],
            "totals": [_plain(asdict(total)) for total in self.totals],
        }


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {key: str(value) if isinstance(value, UUID) else value for key, value in row.items()}


DRAWN = """
    create temporary table drawn (id uuid primary key, area geometry(multipolygon, 4326)) on commit drop
"""

PLACED = f"""
    with {WORK}, sheet as materialized (
        select t.id, t.area, st_area(t.area) as size from territory t
        where t.deleted_at is null and not exists (select from drawn d where d.id = t.id)
        union all select d.id, d.area, st_area(d.area) from drawn d where d.area is not null
    ), touched as (
        select w.* from work w
        where w.pin is not null and (
            exists (select from drawn d where st_covers(d.area, w.pin))
            or exists (select from site s join drawn d on d.id = s.territory_id where s.id = w.site_id)
        )
    ), placed as (
        select w.*, (
            select s.id from sheet s where st_covers(s.area, w.pin) order by s.size, s.id limit 1
        ) as to_id
        from touched w
    )
"""  # noqa: S608 -- put together from our own constants
"""`placed`: the accounts that what is drawn touches, with the territory that will cover each."""

MOVES = text(
    f"""{PLACED}
    select territory_is_fixed, territory_id, to_id, count(*), sum(hours)::float8, sum(value)::float8,
        sum(potential)::float8
    from placed where to_id is distinct from territory_id
    group by 1, 2, 3 order by 5 desc
    """  # noqa: S608 -- put together from our own constants
)

MOVERS = text(
    f"""{PLACED}
    select account_id, territory_id, to_id from placed
    where to_id is distinct from territory_id and not territory_is_fixed
    """  # noqa: S608 -- put together from our own constants
)

NOW = text(
    f"""
    with {WORK}
    select territory_id, count(*), sum(hours)::float8, sum(value)::float8, sum(potential)::float8
    from work where territory_id is not null group by territory_id
    """  # noqa: S608 -- put together from our own constants
)

type Sums = tuple[int, float, float, float]
NOTHING: Sums = (0, 0.0, 0.0, 0.0)


def sums(session: Session) -> dict[UUID, Sums]:
    """Accounts, hours, value and potential of each territory as they are."""
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in session.execute(NOW)}


def effects(session: Session, drafts: Sequence[Draft]) -> Effects:
    """What some drafts would move; nothing is changed."""
    found = drawn(session, drafts, MOVES)
    moves = [Move(*row[1:]) for row in found if not row[0]]
    return Effects(tuple(moves), totals(sums(session), moves, drafts), sum(row[3] for row in found if row[0]))


def movers(session: Session, drafts: Sequence[Draft]) -> list[tuple[UUID, UUID | None, UUID | None]]:
    """The accounts that some drafts would move, each with the territory before and after; nothing is changed."""
    return [(row[0], row[1], row[2]) for row in drawn(session, drafts, MOVERS)]


def drawn(session: Session, drafts: Sequence[Draft], statement: TextClause) -> Sequence[Any]:
    """What a statement finds with some drafts in `drawn`."""
    session.flush()
    session.execute(text("drop table if exists drawn"))
    session.execute(text(DRAWN))
    rows = ((str(d.id), None if d.area is None else f"SRID=4326;{d.area.wkt}") for d in drafts)
    copy_rows(session, "drawn", ("id", "area"), rows)
    found = session.execute(statement).all()
    session.execute(text("drop table drawn"))
    return found


def totals(before: dict[UUID, Sums], moves: Sequence[Move], drafts: Sequence[Draft]) -> tuple[Total, ...]:
    """Each territory that a change touches, before and after."""
    after = dict(before)
    for move in moves:
        step = (move.accounts, move.hours, move.value, move.potential)
        for key, sign in ((move.from_id, -1), (move.to_id, 1)):
            if key is not None:
                old = after.get(key, NOTHING)
                after[key] = (
                    old[0] + sign * step[0],
                    old[1] + sign * step[1],
                    old[2] + sign * step[2],
                    old[3] + sign * step[3],
                )
    ids = dict.fromkeys([*(d.id for d in drafts), *(k for m in moves for k in (m.from_id, m.to_id) if k)])
    pairs = [(key, before.get(key, NOTHING), after.get(key, NOTHING)) for key in ids]
    return tuple(Total(key, b[0], a[0], b[1], a[1], b[2], a[2], b[3], a[3]) for key, b, a in pairs)
