"""Rounds: theirs to ours, then ours to theirs, each event in a transaction of its own.

Whatever stops a round, the next one finds where it stood: what goes out is noted before (`sent`), so that an answer
that never came is recognised by what lies on the server.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select

from server.activities.agenda.service import zone_of
from server.activities.caldav import service
from server.activities.caldav.client import Changed, Client, Object
from server.activities.caldav.models import CalendarLink
from server.jobs import defer, task
from server.jobs.service import queue
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import Invalid, WaymarkError
from server.records.service import acting

EVERY = timedelta(minutes=4)


@task("caldav.sync", retry=False)
def sync(link_id: str) -> None:
    """One round of one calendar; what goes wrong is said on the person's page, and the next round goes on."""
    key = UUID(link_id)
    with transaction() as session:
        known = session.get(CalendarLink, key)
        if known is None or not known.active:
            return
        client, zone, token = service.client_of(known), zone_of(session, known.user_id), known.sync_token
    trouble = ""
    try:
        fresh = take_theirs(client, key, zone, token)
        give_ours(client, key)
    except WaymarkError as error:
        trouble, fresh = f"{error.message} {error.help}".strip(), token
    finally:
        client.close()
    with transaction() as session:
        there = session.get(CalendarLink, key, with_for_update=True)
        if there is not None:
            there.trouble, there.synced_at, there.sync_token = trouble, clock.now(), fresh


def take_theirs(client: Client, key: UUID, zone: str, token: str | None) -> str | None:
    """First half: what changed there; returns the token from which the next round goes on."""
    changes = client.changes(token)
    with transaction() as session:
        wanted = service.to_read(session, key, changes.etags)
        known = service.items(session, key)
        missing = set(known) - set(changes.etags) if changes.is_all else set(changes.gone) & set(known)
    for there in client.read(wanted):
        take_one(key, zone, there)
    for href in sorted(missing):
        with transaction() as session:
            acting(session, service.ACTOR)
            service.gone(session, key, href)
    return changes.token


def take_one(key: UUID, zone: str, there: Object) -> None:
    """Take one object; one that breaks a rule of ours stays there alone, and keeps no other one waiting."""
    try:
        with transaction() as session:
            acting(session, service.ACTOR)
            service.take(session, key, zone, there)
    except Invalid as error:
        with transaction() as session:
            service.leave_alone(session, key, there, error.message)


def give_ours(client: Client, key: UUID) -> None:
    """Second half: what changed here. Somebody who was faster there is heard first, in the next round."""
    with transaction() as session:
        wanted = service.to_push(session, key)
    for activity_id in wanted:
        give_one(client, key, activity_id)


def give_one(client: Client, key: UUID, activity_id: UUID) -> None:
    """Write one activity to the server, when it is not the same there."""
    with transaction() as session:
        push = service.push(session, key, activity_id, ())
        if push is None:
            return
    before: list[Object] = list(client.read([push.href])) if push.etag is not None and push.raw is not None else []
    if before:  # what the server holds besides stays in it
        with transaction() as session:
            push = service.push(session, key, activity_id, before)
            if push is None:
                return
    try:
        if push.raw is None:
            if push.etag is not None:
                client.delete(push.href, etag=push.etag)
            with transaction() as session:
                service.deleted(session, push.item_id)
            return
        etag = client.put(push.href, push.raw, etag=push.etag)
    except Changed:
        return
    with transaction() as session:
        service.pushed(session, push.item_id, etag)


@queue.periodic(cron="* * * * *")
@task("caldav.sync_all")
def sync_all(timestamp: int) -> None:
    """Every few minutes: a round of each calendar."""
    del timestamp
    with transaction() as session:
        due = or_(CalendarLink.synced_at.is_(None), CalendarLink.synced_at < clock.now() - EVERY)
        for key in session.scalars(select(CalendarLink.id).where(CalendarLink.active, due)):
            defer(session, sync, key=f"caldav:{key}", lock=f"caldav:{key}", link_id=str(key))
