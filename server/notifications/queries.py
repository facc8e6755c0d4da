"""Reads of what people are told: everybody sees their own."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, cast, func, select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.types import DateTime, Uuid

from server.auth.models import User
from server.kit.paging import decode_cursor, encode_cursor
from server.notifications.kinds import KINDS, About
from server.notifications.models import Channel, Follow, Notification, NotificationHours, NotificationWish


def visible_to(user_id: UUID) -> Select[Notification]:
    """What somebody was told."""
    return select(Notification).where(Notification.user_id == user_id)


def unread(session: Session, user_id: UUID) -> int:
    """How much somebody has not seen yet."""
    statement = select(func.count()).where(Notification.user_id == user_id, Notification.read_at.is_(None))
    return session.scalar(statement) or 0


@dataclass(frozen=True)
class Told:
    """One notification with the name of who did it."""

    notification: Notification
    who: str | None


@dataclass(frozen=True)
class Listing:
    """One page."""

    rows: list[Told]
    next_cursor: str | None


def page(
    session: Session, user_id: UUID, *, only_unread: bool = False, cursor: str | None = None, limit: int = 50
) -> Listing:
    """One page of what somebody was told, the latest first."""
    statement = visible_to(user_id).outerjoin(User, User.id == Notification.made_by).add_columns(User.name)
    if only_unread:
        statement = statement.where(Notification.read_at.is_(None))
    after = decode_cursor(cursor, 2)
    if after is not None:
        there = tuple_(cast(str(after[0]), DateTime(timezone=True)), cast(str(after[1]), Uuid))
        statement = statement.where(tuple_(Notification.made_at, Notification.id) < there)
    order = (Notification.made_at.desc(), Notification.id.desc())
    found = [Told(*row) for row in session.execute(statement.order_by(*order).limit(limit + 1))]
    last = found[limit - 1].notification if len(found) > limit else None
    return Listing(found[:limit], encode_cursor((last.made_at.isoformat(), last.id)) if last else None)


def wishes(session: Session, user_id: UUID) -> dict[str, Channel]:
    """How somebody is told, by kind."""
    chosen = select(NotificationWish.kind, NotificationWish.channel).where(NotificationWish.user_id == user_id)
    own = {kind: Channel(channel) for kind, channel in session.execute(chosen)}
    return {name: own.get(name, kind.channel) for name, kind in KINDS.items()}


def hours(session: Session, user_id: UUID) -> NotificationHours | None:
    """When somebody wants mails; None: they have not said."""
    return session.get(NotificationHours, user_id)


def followers(session: Session, about: About) -> dict[UUID, bool]:
    """Who has said that they follow something (True), or do not want to (False)."""
    statement = select(Follow.user_id, Follow.wanted).where(
        Follow.entity == about.entity, Follow.row_id == about.row_id
    )
    return {user_id: wanted for user_id, wanted in session.execute(statement)}


def followed(session: Session, user_id: UUID, entity: str, row_ids: Iterable[UUID]) -> dict[UUID, bool]:
    """What somebody has said about following some rows."""
    statement = select(Follow.row_id, Follow.wanted).where(
        Follow.user_id == user_id, Follow.entity == entity, Follow.row_id.in_(list(row_ids))
    )
    return {row_id: wanted for row_id, wanted in session.execute(statement)}


def in_english(sentence: str, gaps: dict[str, Any]) -> str:
    """A sentence with its gaps filled, for a mail."""
    for name, value in gaps.items():
        sentence = sentence.replace("{" + name + "}", str(value))
    return sentence


def to_mail(session: Session, since: datetime) -> list[UUID]:
    """The people for whom something waits to be mailed."""
    statement = select(Notification.user_id).where(
        Notification.mailed_at.is_(None), Notification.channel != Channel.APP, Notification.made_at >= since
    )
    return list(session.scalars(statement.distinct().order_by(Notification.user_id)))
