"""JSON API of notifications: everybody has their own."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.paging import Cursor, Limit, Page
from server.notifications import queries, service
from server.notifications.schemas import NotificationRead, Unread, WishesRead, WishesWrite

router = APIRouter(prefix="/api/v1/notifications", tags=["notifications"])

Mine = Annotated[Scope, requires("notifications:read")]


@router.get("")
def list_notifications(
    scope: Mine,
    session: Db,
    unread: Annotated[bool, Query(description="Only what you have not seen.")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[NotificationRead]:
    """What you were told, the latest first."""
    found = queries.page(session, scope.user_id, only_unread=unread, cursor=cursor, limit=limit)
    return Page(items=[NotificationRead.of(row) for row in found.rows], next_cursor=found.next_cursor)


@router.get("/unread")
def count_unread(scope: Mine, session: Db) -> Unread:
    """How much you have not seen."""
    return Unread(unread=queries.unread(session, scope.user_id))


@router.post("/{notification_id}/read")
def mark_read(notification_id: UUID, scope: Mine, session: Db) -> NotificationRead:
    """You have seen it."""
    return NotificationRead.of(queries.Told(service.read(session, scope.user_id, notification_id), None))


@router.post("/read", status_code=204)
def mark_all_read(scope: Mine, session: Db) -> Response:
    """You have seen everything."""
    service.read_all(session, scope.user_id)
    return Response(status_code=204)


@router.get("/wishes")
def get_wishes(scope: Mine, session: Db) -> WishesRead:
    """How you are told, by kind."""
    hours = queries.hours(session, scope.user_id)
    found = {} if hours is None else {n: getattr(hours, n) for n in ("quiet_from", "quiet_until", "digest_at")}
    return WishesRead(kinds=queries.wishes(session, scope.user_id), **found)


@router.put("/wishes")
def set_wishes(body: WishesWrite, scope: Mine, session: Db) -> WishesRead:
    """Choose how you are told."""
    for kind, channel in body.kinds.items():
        service.wish(session, scope.user_id, kind, channel)
    hours = {name: getattr(body, name) for name in ("quiet_from", "quiet_until", "digest_at")}
    service.set_hours(session, scope.user_id, **hours)
    return get_wishes(scope, session)
