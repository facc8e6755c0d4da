"""What somebody is told: the bell, the list, and how they wish to be told."""

from datetime import time
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import Invalid, WaymarkError
from server.kit.paging import Cursor
from server.notifications import queries, service
from server.notifications.kinds import KINDS
from server.notifications.models import Channel
from server.web.forms import Sent, read, text
from server.web.pages import attempt, go, language_of, render

router = APIRouter(prefix="/notifications", include_in_schema=False)

Mine = Annotated[Scope, requires("notifications:read")]

ICONS = {
    "mention": "at-sign",
    "handover": "arrow-right-left",
    "leaver": "user-x",
    "challenge": "scale",
    "moving": "calendar-clock",
    "note": "sticky-note",
    "edit": "pencil",
    "stage": "trending-up",
    "lead": "user-plus",
    "ticket": "ticket",
    "order": "shopping-cart",
    "task": "list-todo",
    "reminder": "alarm-clock",
    "mail": "mail",
}


@router.get("")
def show_notifications(
    request: Request, scope: Mine, session: Db, unread: bool = False, cursor: Cursor = None
) -> Response:
    """The list."""
    found = queries.page(session, scope.user_id, only_unread=unread, cursor=cursor)
    t = language_of(request, scope).t
    said = {one.notification.id: t(one.notification.sentence, **one.notification.gaps) for one in found.rows}
    return render(request, "notifications/list.html", scope, found=found, said=said, unread=unread, icons=ICONS)


@router.get("/bell")
def show_bell(request: Request, scope: Mine, session: Db) -> Response:
    """A fragment: how much is unread."""
    return render(request, "notifications/bell.html", scope, unread=queries.unread(session, scope.user_id))


@router.post("/{notification_id}/open")
def open_notification(notification_id: UUID, scope: Mine, session: Db) -> Response:
    """Go where it leads; it is read then."""
    return go(service.read(session, scope.user_id, notification_id).link)


@router.post("/read")
def read_all(scope: Mine, session: Db) -> Response:
    """Everything is read."""
    service.read_all(session, scope.user_id)
    return go("/notifications")


@router.get("/wishes")
def show_wishes(request: Request, scope: Mine, session: Db) -> Response:
    """How somebody is told."""
    return wishes_page(request, scope, session)


def wishes_page(request: Request, scope: Scope, session: Session, error: WaymarkError | None = None) -> Response:
    """The choice, with what was refused."""
    return render(
        request,
        "notifications/wishes.html",
        scope,
        status=int(error.status) if error else 200,
        kinds=KINDS,
        wishes=queries.wishes(session, scope.user_id),
        hours=queries.hours(session, scope.user_id),
        channels=list(Channel),
        error=error,
    )


@router.post("/wishes")
def save_wishes(request: Request, scope: Mine, session: Db, sent: Sent) -> Response:
    """Choose."""
    try:
        with attempt(session):
            for kind in KINDS:
                chosen = text(sent, kind)
                if chosen is not None:
                    service.wish(session, scope.user_id, kind, Channel(chosen))
            service.set_hours(
                session,
                scope.user_id,
                quiet_from=read(sent, "quiet_from", time.fromisoformat),
                quiet_until=read(sent, "quiet_until", time.fromisoformat),
                digest_at=read(sent, "digest_at", time.fromisoformat) or time(7),
            )
    except (WaymarkError, ValueError) as error:
        refused = error if isinstance(error, WaymarkError) else Invalid("The form is not one of ours.")
        return wishes_page(request, scope, session, refused)
    return go("/notifications/wishes?saved=1")
