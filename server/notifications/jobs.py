"""Mails about what people are told: at once, or in one digest a day. A killed worker sends none twice."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.auth.models import User
from server.jobs import task
from server.jobs.service import queue
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import Invalid
from server.kit.settings import settings
from server.mail import service as mail
from server.mail.queries import configured
from server.notifications import queries
from server.notifications.models import Channel, Notification, NotificationHours

TOO_OLD = timedelta(days=3)
"""What could not be mailed for so long (no server was set up) is not mailed any more; it stands in the app."""
MORNING = time(7)
SHOWN = 50
"""Lines of a digest; it says how many more there are."""


@queue.periodic(cron="* * * * *")
@task("notifications.mail_due")
def mail_due(timestamp: int) -> None:
    """Every minute: mail what waits. Each person in a transaction of their own."""
    del timestamp
    with transaction() as session:
        if configured(session) is None:
            return
        people = queries.to_mail(session, clock.now() - TOO_OLD)
    for user_id in people:
        with transaction() as session:
            mail_to(session, user_id, clock.now())


def mail_to(session: Session, user_id: UUID, now: datetime) -> int:
    """Queue the mails that one person is to have by now; gives how many.

    A mail and the mark on what it tells are written in one transaction, and its key says what is in it: whoever does
    this again finds nothing, or the same mail.
    """
    user = session.get(User, user_id, with_for_update={"of": User})
    if user is None or not user.active or user.deleted_at is not None or not user.email:
        forget(session, user_id)
        return 0
    hours = session.get(NotificationHours, user_id)
    here = now.astimezone(ZoneInfo(user.zone or settings().zone))
    if is_quiet(here.time(), hours):
        return 0
    count = 0
    at_once = waiting(session, user_id, Channel.MAIL, now - TOO_OLD)
    if at_once:
        count += write(session, user, f"notice:{at_once[0].id}", at_once, now)
    digest = waiting(session, user_id, Channel.DIGEST, now - TOO_OLD)
    due_since = here.replace(hour=0, minute=0, second=0, microsecond=0)
    at = hours.digest_at if hours else MORNING
    if digest and here.time() >= at and not mailed_since(session, user_id, due_since):
        count += write(session, user, f"digest:{user_id}:{here.date().isoformat()}", digest, now)
    return count


def is_quiet(at: time, hours: NotificationHours | None) -> bool:
    """Whether no mail is wanted at this hour."""
    if hours is None or hours.quiet_from is None or hours.quiet_until is None:
        return False
    if hours.quiet_from <= hours.quiet_until:
        return hours.quiet_from <= at < hours.quiet_until
    return at >= hours.quiet_from or at < hours.quiet_until


def waiting(session: Session, user_id: UUID, channel: Channel, since: datetime) -> Sequence[Notification]:
    """What waits to be mailed to somebody and was not read meanwhile, oldest first."""
    statement = select(Notification).where(
        Notification.user_id == user_id,
        Notification.mailed_at.is_(None),
        Notification.channel == channel,
        Notification.made_at >= since,
        Notification.read_at.is_(None),
    )
    return session.scalars(statement.order_by(Notification.made_at, Notification.id).with_for_update()).all()


def mailed_since(session: Session, user_id: UUID, moment: datetime) -> bool:
    """Whether somebody had today's digest."""
    statement = select(Notification.id).where(
        Notification.user_id == user_id, Notification.channel == Channel.DIGEST, Notification.mailed_at >= moment
    )
    return session.scalar(statement.limit(1)) is not None


def write(session: Session, user: User, key: str, rows: Sequence[Notification], now: datetime) -> int:
    """Put one mail into the outbox and mark what it tells."""
    base = (settings().public_url or f"http://{settings().host}:{settings().port}").rstrip("/")
    sentences = [queries.in_english(row.sentence, row.gaps) for row in rows]
    lines = [f"• {says}\n  {base}{row.link}" for says, row in zip(sentences[:SHOWN], rows, strict=False)]
    if len(rows) > SHOWN:
        lines.append(f"… and {len(rows) - SHOWN} more: {base}/notifications")
    subject = sentences[0] if len(rows) == 1 else f"{len(rows)} things happened at {settings().company}"
    body = "\n\n".join([f"Hello {user.name},", *lines, f"How you are told: {base}/notifications/wishes"])
    try:
        mail.queue(session, key=key, purpose="notification", to=[user.email or ""], subject=subject, body=body)
    except Invalid:  # the person's address is none; the app has it all the same
        mark(session, rows, now)
        return 0
    mark(session, rows, now)
    return 1


def mark(session: Session, rows: Sequence[Notification], now: datetime) -> None:
    """Remember that these were mailed."""
    for row in rows:
        row.mailed_at = now
    session.flush()


def forget(session: Session, user_id: UUID) -> None:
    """Somebody without an address gets no mail: do not ask again every minute."""
    waits = (Notification.user_id == user_id) & Notification.mailed_at.is_(None) & (Notification.channel != Channel.APP)
    session.execute(update(Notification).where(waits).values(mailed_at=clock.now()))
