"""One's calendar elsewhere: the feed that other programs read, the CalDAV calendar that is kept the same; signature."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.activities.agenda import feeds
from server.activities.agenda.models import Activity, Reminder
from server.activities.caldav import clashes, jobs, service
from server.activities.caldav.client import Calendar
from server.activities.caldav.models import CalendarItem
from server.activities.mailing import service as mailing
from server.auth.access import Scope, requires
from server.jobs import defer
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.web.forms import Sent, text
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/calendar", include_in_schema=False)

Read = Annotated[Scope, requires("activities:read")]
Write = Annotated[Scope, requires("activities:write")]


@router.get("/connect")
def show_connect(request: Request, scope: Read, session: Db) -> Response:
    """How one's calendar stands elsewhere."""
    return connect_page(request, scope, session)


def connect_page(
    request: Request,
    scope: Scope,
    session: Session,
    *,
    secret: str | None = None,
    offered: list[Calendar] | None = None,
    values: dict[str, Any] | None = None,
    error: WaymarkError | None = None,
) -> Response:
    """The page, with a new address, the calendars to choose from, or what was refused."""
    known = service.of_user(session, scope.user_id)
    left_alone = (
        session.scalars(
            select(CalendarItem).where(CalendarItem.link_id == known.id, CalendarItem.note != "").limit(20)
        ).all()
        if known
        else []
    )
    return render(
        request,
        "calendar/connect.html",
        scope,
        status=int(error.status) if error else 200,
        feed=feeds.of_user(session, scope.user_id),
        contents=feeds.CONTENTS,
        address=str(request.url.replace(path=f"/calendar/feed/{secret}.ics", query="")) if secret else None,
        link=known,
        left_alone=left_alone,
        clashes=clashes.of_user(session, scope),
        offered=offered,
        values=values or {},
        signature=mailing.signature(session, scope.user_id),
        error=error,
    )


@router.post("/connect/feed")
def make_feed(request: Request, scope: Read, session: Db, sent: Sent) -> Response:
    """Make a new address, choose what it holds, or end it."""
    wanted, secret = [str(one) for one in sent.getlist("contents")], None
    try:
        with attempt(session):
            what = text(sent, "do")
            if what == "revoke":
                feeds.revoke(session, scope.user_id)
            elif what == "choose":
                feeds.choose(session, scope.user_id, wanted)
            else:
                _, secret = feeds.make(session, scope.user_id, wanted)
    except WaymarkError as error:
        return connect_page(request, scope, session, error=error)
    return connect_page(request, scope, session, secret=secret) if secret else go("/calendar/connect?saved=1")


@router.post("/connect/look")
def look(request: Request, scope: Write, session: Db, sent: Sent) -> Response:
    """Look which calendars there are at an address; with one chosen, keep it the same from now on."""
    values = {name: text(sent, name) or "" for name in ("url", "username", "password", "calendar")}
    try:
        with attempt(session):
            offered = service.offered(values["url"], values["username"], values["password"])
            chosen = next((one for one in offered if one.url == values["calendar"]), None)
            if chosen is None and len(offered) == 1:
                chosen = offered[0]
            if chosen is None:
                return connect_page(request, scope, session, offered=offered, values=values)
            made = service.link(session, scope.user_id, chosen, values["username"], values["password"])
            defer(session, jobs.sync, key=f"caldav:{made.id}", lock=f"caldav:{made.id}", link_id=str(made.id))
    except WaymarkError as error:
        return connect_page(request, scope, session, values=values, error=error)
    return go("/calendar/connect?linked=1")


@router.post("/connect/now")
def sync_now(scope: Write, session: Db) -> Response:
    """Keep the calendar the same at once."""
    known = service.of_user(session, scope.user_id)
    if known is not None:
        defer(session, jobs.sync, key=f"caldav:{known.id}", lock=f"caldav:{known.id}", link_id=str(known.id))
    return go("/calendar/connect?asked=1")


@router.post("/connect/end")
def unlink(scope: Write, session: Db) -> Response:
    """Keep it the same no more; what stands on both sides stays there."""
    service.unlink(session, scope.user_id)
    return go("/calendar/connect")


@router.post("/connect/clashes")
def settle_clash(
    request: Request, scope: Write, session: Db, id: Annotated[UUID, Form()], take: Annotated[str, Form()] = ""
) -> Response:
    """Keep our value of a field, or take theirs."""
    try:
        with attempt(session):
            clashes.settle(session, scope, id, "theirs" if take == "theirs" else "ours")
    except WaymarkError as error:
        return connect_page(request, scope, session, error=error)
    return go("/calendar/connect#clashes")


@router.post("/connect/signature")
def sign(request: Request, scope: Write, session: Db, sent: Sent) -> Response:
    """Set what stands below one's mails."""
    try:
        with attempt(session):
            mailing.sign(session, scope.user_id, str(sent.get("signature") or ""))
    except WaymarkError as error:
        return connect_page(request, scope, session, error=error)
    return go("/calendar/connect?saved=1")


@router.get("/reminders")
def show_reminders(request: Request, scope: Read, session: Db) -> Response:
    """What somebody is to be reminded of now: each once."""
    fresh = (
        select(Reminder, Activity)
        .join(Activity, Activity.id == Reminder.activity_id)
        .where(
            Reminder.user_id == scope.user_id,
            Reminder.seen_at.is_(None),
            Reminder.made_at > clock.now() - timedelta(hours=12),
        )
        .order_by(Reminder.starts_at)
        .limit(20)
        .with_for_update(of=Reminder, skip_locked=True)
    )
    rows = session.execute(fresh).tuples().all()
    for reminder, _ in rows:
        reminder.seen_at = clock.now()
    return render(request, "calendar/reminders.html", scope, rows=rows)
