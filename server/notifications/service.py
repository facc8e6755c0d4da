"""The rules of telling people: who is told how, what is read, what somebody follows."""

from collections.abc import Iterable, Mapping
from datetime import time
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from server.auth.models import User
from server.kit import clock
from server.kit.errors import Invalid, NotFound
from server.notifications.kinds import KINDS, About
from server.notifications.models import Channel, Follow, Notification, NotificationHours, NotificationWish


def notify(
    session: Session,
    user_ids: Iterable[UUID],
    kind: str,
    sentence: str,
    link: str,
    about: About,
    *,
    gaps: Mapping[str, Any] | None = None,
    by: UUID | None = None,
) -> list[Notification]:
    """Tell people something, each as they wish; whoever did it is not told.

    The caller names only people who may see the row. `sentence` is English with {gaps}, so that a page can say it in
    the reader's language. Refuses a kind that does not exist and a link that leads elsewhere.
    """
    if kind not in KINDS:
        raise ValueError(f"there is no kind of notification “{kind}”")
    if not link.startswith("/") or link.startswith("//"):
        raise ValueError(f"“{link}” is no path of ours")
    people = set(user_ids) - {by}
    statement = (
        select(User.id, NotificationWish.channel)
        .outerjoin(NotificationWish, (NotificationWish.user_id == User.id) & (NotificationWish.kind == kind))
        .where(User.id.in_(people), User.deleted_at.is_(None), User.active)
        .order_by(User.id)
    )
    made = [
        Notification(
            user_id=user_id,
            kind=kind,
            sentence=sentence,
            gaps={name: str(value) for name, value in (gaps or {}).items()},
            link=link,
            entity=about.entity,
            row_id=about.row_id,
            made_by=by,
            channel=wish or KINDS[kind].channel,
        )
        for user_id, wish in session.execute(statement)
        if wish != Channel.OFF
    ]
    session.add_all(made)
    session.flush()
    return made


def read(session: Session, user_id: UUID, notification_id: UUID) -> Notification:
    """Somebody has seen it. Refuses another person's."""
    one = session.get(Notification, notification_id)
    if one is None or one.user_id != user_id:
        raise NotFound("There is no such notification.")
    one.read_at = one.read_at or clock.now()
    session.flush()
    return one


def read_all(session: Session, user_id: UUID) -> None:
    """Somebody has seen everything."""
    unread = (Notification.user_id == user_id) & Notification.read_at.is_(None)
    session.execute(update(Notification).where(unread).values(read_at=clock.now()))


def wish(session: Session, user_id: UUID, kind: str, channel: Channel) -> None:
    """How somebody wants to be told of a kind. Refuses a kind that does not exist."""
    if kind not in KINDS:
        raise Invalid(f"There is no kind “{kind}”.", help=f"There are: {', '.join(KINDS)}.", field="kind")
    statement = insert(NotificationWish).values(user_id=user_id, kind=kind, channel=channel)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[NotificationWish.user_id, NotificationWish.kind], set_={"channel": channel}
        )
    )


def set_hours(
    session: Session, user_id: UUID, *, quiet_from: time | None, quiet_until: time | None, digest_at: time
) -> NotificationHours:
    """When somebody wants mails. Refuses quiet hours with one end."""
    if (quiet_from is None) != (quiet_until is None):
        raise Invalid("Quiet hours need a beginning and an end.", help="Fill in both, or none.", field="quiet_until")
    hours = session.get(NotificationHours, user_id) or NotificationHours(user_id=user_id)
    hours.quiet_from, hours.quiet_until, hours.digest_at = quiet_from, quiet_until, digest_at
    session.add(hours)
    session.flush()
    return hours


def follow(session: Session, user_id: UUID, about: About, *, wanted: bool = True) -> None:
    """Somebody wants to be told of something, or no more; the room of the row has checked that they may see it."""
    statement = insert(Follow).values(user_id=user_id, entity=about.entity, row_id=about.row_id, wanted=wanted)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Follow.user_id, Follow.entity, Follow.row_id], set_={"wanted": wanted}
        )
    )
