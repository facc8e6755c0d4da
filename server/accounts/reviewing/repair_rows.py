"""Reads of repairs: the runs, and their rows before and after."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select, text
from sqlalchemy.orm import Session

from server.accounts.place_models import ChangeState, RepairRun, SiteChange
from server.accounts.reviewing.queue import PERMISSION
from server.auth.access import Scope
from server.auth.roles import Level


@dataclass(frozen=True)
class RepairRow:
    """One site of a repair, before and after."""

    site_id: UUID
    account_id: UUID
    name: str
    verb: str
    why: dict[str, Any] | None
    is_chosen: bool
    state: str
    before: dict[str, Any]
    after: dict[str, Any]
    lon: float | None
    lat: float | None
    to_lon: float | None
    to_lat: float | None


ROWS = """
    select c.site_id, s.account_id, a.name, c.verb, c.why, c.is_chosen, c.state, c.before - 'pin' as before,
           c.after - 'pin' as after,
           st_x((c.before ->> 'pin')::geometry) as lon, st_y((c.before ->> 'pin')::geometry) as lat,
           st_x((c.after ->> 'pin')::geometry) as to_lon, st_y((c.after ->> 'pin')::geometry) as to_lat
    from site_change c join site s on s.id = c.site_id join account a on a.id = s.account_id
    where c.run_id = :run and (cast(:verb as text) is null or c.verb = :verb)
    order by c.id limit :limit offset :first
"""


def rows(
    session: Session, run_id: UUID, *, verb: str | None = None, first: int = 0, limit: int = 100
) -> list[RepairRow]:
    """The rows of a repair from the first one wished for."""
    values = {"run": run_id, "verb": verb, "limit": limit, "first": first}
    return [RepairRow(**row) for row in session.execute(text(ROWS), values).mappings()]


def counts(session: Session, run_id: UUID) -> dict[str, int]:
    """The rows of a repair by what is to become, or has become, of them."""
    chosen = case((SiteChange.state != ChangeState.PROPOSED, SiteChange.state), (SiteChange.is_chosen, "chosen"),
                  else_="left_out").label("kind")  # fmt: skip
    statement = select(chosen, func.count()).where(SiteChange.run_id == run_id).group_by(chosen)
    return {str(kind): count for kind, count in session.execute(statement)}


def verbs(session: Session, run_id: UUID) -> dict[str, int]:
    """The rows of a repair by what is done."""
    statement = select(SiteChange.verb, func.count()).where(SiteChange.run_id == run_id).group_by(SiteChange.verb)
    return {verb: count for verb, count in session.execute(statement.order_by(SiteChange.verb))}


def runs(session: Session, scope: Scope, limit: int = 20) -> Sequence[RepairRun]:
    """The repairs so far that somebody may see, the latest first."""
    statement = select(RepairRun).order_by(RepairRun.created_at.desc()).limit(limit)
    if scope.level(PERMISSION) < Level.ALL:
        statement = statement.where(RepairRun.actor == scope.user_id)
    return session.scalars(statement).all()
