"""Reads of people."""

from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from server.auth.models import AuthEvent, Device, TeamMember, User
from server.auth.roles import Level
from server.kit import clock

IN_FLIGHT = timedelta(minutes=1)
"""So long a sync that had begun before a phone was signed in anew may still go on."""


def user_by_login(session: Session, login: str) -> User | None:
    """The person with this login, however it is capitalised."""
    return session.scalar(select(User).where(User.login == login.strip().lower(), User.deleted_at.is_(None)))


def visible_users(user_id: UUID, team_ids: frozenset[UUID], level: Level) -> Select[User]:
    """The people within a level: oneself, one's teams or all."""
    statement = select(User).where(User.deleted_at.is_(None)).order_by(User.name, User.id)
    if level >= Level.REGION:
        return statement
    if level == Level.OWN or not team_ids:
        return statement.where(User.id == user_id)
    mates = select(TeamMember.user_id).where(TeamMember.team_id.in_(team_ids))
    return statement.where(or_(User.id == user_id, User.id.in_(mates)))


class Person(NamedTuple):
    """Somebody to choose in a form."""

    id: UUID
    name: str


def named(session: Session, people: Select[User]) -> list[Person]:
    """People by id and name: a company has hundreds, and most forms offer all of them."""
    return [Person(*row) for row in session.execute(people.with_only_columns(User.id, User.name))]


def hold(session: Session, user_ids: Collection[UUID]) -> None:
    """Let nobody else put anything into these people's calendars until the transaction ends."""
    statement = select(User.id).where(User.id.in_(user_ids)).order_by(User.id)
    session.execute(statement.with_for_update(key_share=True))


def replaced(session: Session, device_ids: Collection[UUID]) -> set[UUID]:
    """Those phones that are another one by now: their person signed in on them anew, the phone has heard of it (it has
    said hello as the new one), and nothing says hello as the former one any more."""
    became = aliased(Device)
    is_over = func.coalesce(Device.last_seen_at, Device.registered_at) < became.registered_at + IN_FLIGHT
    statement = select(Device.id).join(became, became.id == Device.replaced_by)
    return set(session.scalars(statement.where(Device.id.in_(device_ids), became.last_seen_at.is_not(None), is_over)))


def recent_failures(session: Session, login: str) -> int:
    """How often a wrong password was given for a login in the last fifteen minutes."""
    statement = select(func.count()).where(
        AuthEvent.kind == "sign_in_failed",
        AuthEvent.login == login.strip().lower()[:200],
        AuthEvent.at > clock.now() - timedelta(minutes=15),
    )
    return session.scalar(statement) or 0


def anybody(session: Session) -> bool:
    """Whether there is any user yet."""
    return session.scalar(select(User.id).limit(1)) is not None
