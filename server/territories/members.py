"""Who works a territory, from when to when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, Self
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from server.auth.models import User
from server.kit.errors import Invalid
from server.territories.models import Territory, TerritoryMember


@dataclass(frozen=True)
class Span:
    """Somebody's time in a territory."""

    user_id: UUID
    valid_from: date
    valid_to: date | None = None
    """The first day that is not covered any more; None: open."""

    @property
    def end(self) -> date:
        """The same as a day that can be compared."""
        return self.valid_to or date.max

    def stored(self) -> dict[str, Any]:
        """As the history keeps it."""
        ends = self.valid_to.isoformat() if self.valid_to else None
        return {"user_id": str(self.user_id), "valid_from": self.valid_from.isoformat(), "valid_to": ends}

    @classmethod
    def read(cls, kept: dict[str, Any]) -> Self:
        """From the history."""
        ends = date.fromisoformat(kept["valid_to"]) if kept["valid_to"] else None
        return cls(UUID(kept["user_id"]), date.fromisoformat(kept["valid_from"]), ends)


def staffed(spans: Iterable[Span], user_ids: Iterable[UUID], day: date, until: date | None = None) -> tuple[Span, ...]:
    """The spans when exactly some people work from a day until another; what lies before and after stays.

    Without `until` it is the next day for which people were set: what is planned for later stays planned.
    """
    spans = list(spans)
    until = until or min((d for one in spans for d in (one.valid_from, one.end) if day < d < date.max), default=None)
    found = [Span(user_id, day, until) for user_id in set(user_ids)]
    for one in spans:
        if one.valid_from < day:
            found.append(Span(one.user_id, one.valid_from, _open(min(one.end, day))))
        if until is not None and one.end > until:
            found.append(Span(one.user_id, max(one.valid_from, until), one.valid_to))
    return _joined(found)


def along(spans: Iterable[Span], others: Iterable[Span], day: date) -> tuple[Span, ...]:
    """The spans when the people of other territories come along from a day on, for as long as they were to stay."""
    return _joined(
        (*spans, *(Span(one.user_id, max(one.valid_from, day), one.valid_to) for one in others if one.end > day))
    )


def _open(day: date) -> date | None:
    return None if day == date.max else day


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """By the day they begin; times of one person that touch are one."""
    found: list[Span] = []
    for _, times in groupby(sorted(spans, key=lambda one: (one.user_id, one.valid_from)), lambda one: one.user_id):
        for number, one in enumerate(times):
            if number and found[-1].end >= one.valid_from:
                found[-1] = Span(one.user_id, found[-1].valid_from, _open(max(found[-1].end, one.end)))
            else:
                found.append(one)
    return tuple(sorted(found, key=lambda one: (one.valid_from, one.user_id)))


def spans_of(session: Session, territory_id: UUID) -> tuple[Span, ...]:
    """Everybody who works, worked or will work a territory."""
    kept = session.scalars(select(TerritoryMember).where(TerritoryMember.territory_id == territory_id))
    return _joined(Span(row.user_id, row.valid_from, row.valid_to) for row in kept)


def put(session: Session, territory: Territory, spans: Sequence[Span]) -> None:
    """Exactly these spans, and a new revision of the territory; people who were erased meanwhile are left out."""
    known = set(session.scalars(select(User.id).where(User.id.in_({one.user_id for one in spans}))))
    session.execute(delete(TerritoryMember).where(TerritoryMember.territory_id == territory.id))
    session.add_all(
        TerritoryMember(
            territory_id=territory.id, user_id=one.user_id, valid_from=one.valid_from, valid_to=one.valid_to
        )
        for one in spans
        if one.user_id in known
    )
    territory.staffing = (territory.staffing or 0) + 1
    session.flush()


def check_people(session: Session, user_ids: Iterable[UUID]) -> None:
    """Refuse people who are not there, or cannot sign in any more."""
    wanted = set(user_ids)
    known = session.scalars(select(User.id).where(User.id.in_(wanted), User.active, User.deleted_at.is_(None)))
    if set(known) != wanted:
        raise Invalid(
            "Some of these people do not exist or cannot sign in any more.", help="Choose others.", field="members"
        )
