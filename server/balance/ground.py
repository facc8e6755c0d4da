"""What a balance rests on, and whether it still does: outlines, other territories over them, where the accounts lie."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from server.balance import saving
from server.balance.models import BalanceArea, BalanceRun
from server.kit.errors import Conflict, PreconditionFailed
from server.territories import queries
from server.territories.models import Territory

HECTARE = 0.01
"""In km²: neighbours' borders are never drawn quite alike."""
FEW = 0.01
"""Share of the accounts that may have gone elsewhere, one by one, before a balance is computed anew."""


def ground(session: Session, ids: Sequence[UUID]) -> dict[UUID, str]:
    """What a balance rests on: outline and parent of the territories that are there, as marks to compare."""
    mark = func.concat(func.md5(func.ST_AsBinary(Territory.area)), Territory.parent_id)
    statement = select(Territory.id, mark).where(Territory.id.in_(ids), Territory.deleted_at.is_(None))
    return {row[0]: row[1] for row in session.execute(statement)}


def check_ground(session: Session, found: BalanceRun) -> tuple[str, ...]:
    """Refuse what was computed on an older state; what changes little is returned. Names and colours do not matter."""
    marks = ground(session, found.territory_ids)
    by_id = {row.id: row for row in queries.active(session)}
    then = found.facts.get("ground")
    for number, one in enumerate(found.territory_ids):
        if one not in marks:
            raise Conflict("A territory was taken away since this was computed.", help="Balance again.")
        row = by_id[one]
        if (marks[one] != then[number]) if then else (row.rev != found.revs[number]):
            who = saving.last_change(session, one) or "Somebody"
            raise PreconditionFailed(
                f"{who} changed “{row.name}” after this was computed.", help="Balance again.", territory_id=str(one)
            )
    return check_others(session, found)


OVER = text(
    """
    select t.id, t.name, st_area(st_intersection(t.area, shared.area)::geography) / 1e6
    from territory t, (select st_union(area) as area from territory where id = any(:ids)) shared
    where t.deleted_at is null and t.id <> all(:ids) and st_intersects(t.area, shared.area)
        and not exists (select from territory below where below.parent_id = t.id and below.deleted_at is null)
    """
)


def over(session: Session, ids: Sequence[UUID]) -> dict[UUID, tuple[str, float]]:
    """The other worked territories that lie over ground that some share: name and km² of each."""
    return {row[0]: (row[1], row[2]) for row in session.execute(OVER, {"ids": list(ids)})}


ELSEWHERE = text(
    """
    select a.territory_id, t.name, count(*)
    from account a left join territory t on t.id = a.territory_id
    cross join lateral (
        select (h.old #>> '{}')::uuid as id from field_history h
        where h.entity = 'account' and h.row_id = a.id and h.field = 'territory_id' and h.at > :since
        order by h.at, h.id limit 1
    ) was
    where a.updated_at > :since and a.frev ? 'territory_id' and a.deleted_at is null and a.merged_into is null
        and was.id = any(:ids) and a.territory_id is distinct from was.id
    group by 1, 2 order by 3 desc, 2
    """
)


def check_others(session: Session, found: BalanceRun) -> tuple[str, ...]:
    """Refuse what another territory has come to lie over since, or whose accounts lie elsewhere by now, by name.

    A few accounts that were assigned or moved one by one change no balance: they are returned in words.
    """
    since, then = found.facts.get("since") or found.created_at, found.facts.get("others")
    rows = session.execute(ELSEWHERE, {"ids": found.territory_ids, "since": since}).all()
    gone = {row[0]: lying_in(row[2], row[1]) for row in rows}
    if then is not None:
        lying = over(session, found.territory_ids)
        fresh = [one for one, (_, km2) in lying.items() if abs(km2 - then.get(str(one), 0)) > HECTARE]
        for one in sorted(fresh, key=lambda one: (one not in gone, lying[one][0])):
            words = f"“{lying[one][0]}” came to lie over ground of this balance after it was computed."
            told = f"{words} {gone.get(one, '')}".strip()
            raise PreconditionFailed(told, help="Balance again.", territory_id=str(one))
    total = session.scalar(select(func.sum(BalanceArea.accounts)).where(BalanceArea.run_id == found.id)) or 0
    if rows and sum(row[2] for row in rows) > FEW * total:
        raise PreconditionFailed(" ".join(gone.values()), help="Balance again.")
    return tuple(gone.values())


def lying_in(count: int, name: str | None) -> str:
    """How many accounts of a balance lie somewhere else by now, in words."""
    where = f"in “{name}”" if name else "in no territory"
    if count == 1:
        return f"1 account of this balance lies {where} by now."
    return f"{count} accounts of this balance lie {where} by now."
