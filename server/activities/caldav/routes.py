"""JSON API of one's calendar elsewhere: the CalDAV calendar that is kept the same, the address of the feed."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.orm import Session

from server.activities.agenda import feeds
from server.activities.caldav import clashes, jobs, service
from server.activities.caldav.client import Calendar
from server.activities.caldav.models import CalendarLink
from server.activities.caldav.schemas import (
    CalendarRead,
    ClashRead,
    FeedMade,
    FeedRead,
    FeedWrite,
    LinkRead,
    LinkWrite,
    Server,
    Settling,
)
from server.auth.access import Scope, requires
from server.jobs import defer
from server.kit.database import Db
from server.kit.errors import Invalid, NotFound
from server.kit.paging import Page

router = APIRouter(prefix="/api/v1", tags=["calendars"])

Read = Annotated[Scope, requires("activities:read")]
Write = Annotated[Scope, requires("activities:write")]


@router.get("/calendar-link")
def get_link(scope: Read, session: Db) -> LinkRead:
    """The calendar that is kept the same as yours, and how it went last."""
    return LinkRead.model_validate(mine(session, scope))


def mine(session: Session, scope: Scope) -> CalendarLink:
    """One's own link. Refuses when there is none."""
    known = service.of_user(session, scope.user_id)
    if known is None:
        raise NotFound("No calendar is linked.")
    return known


@router.post("/calendar-link/look")
def look(body: Server, scope: Write) -> Page[CalendarRead]:
    """Which calendars a server has for you; nothing is kept."""
    del scope
    return Page(
        items=[CalendarRead.model_validate(one) for one in service.offered(body.url, body.username, body.password)]
    )


@router.put("/calendar-link")
def link(body: LinkWrite, scope: Write, session: Db) -> LinkRead:
    """Keep a calendar the same as yours from now on; the one before ends."""
    chosen = choice(service.offered(body.url, body.username, body.password), body.calendar)
    made = service.link(session, scope.user_id, chosen, body.username, body.password)
    ask(session, made)
    session.refresh(made)
    return LinkRead.model_validate(made)


def choice(offered: list[Calendar], wanted: str | None) -> Calendar:
    """The calendar that is meant. Refuses one that is not offered, and none where there are several."""
    found = offered if wanted is None else [one for one in offered if one.url == wanted]
    if len(found) != 1:
        words = "There are several calendars." if wanted is None else f"There is no calendar “{wanted[:200]}”."
        raise Invalid(words, help="Choose one: " + ", ".join(one.url for one in offered) + ".", field="calendar")
    return found[0]


def ask(session: Session, known: CalendarLink) -> None:
    """Let a worker bring both sides together at once."""
    key = f"caldav:{known.id}"
    defer(session, jobs.sync, key=key, lock=key, link_id=str(known.id))


@router.post("/calendar-link/sync", status_code=202)
def sync_now(scope: Write, session: Db) -> LinkRead:
    """Bring both sides together at once."""
    known = mine(session, scope)
    ask(session, known)
    return LinkRead.model_validate(known)


@router.delete("/calendar-link", status_code=204)
def unlink(scope: Write, session: Db) -> None:
    """Keep it the same no more; what stands on both sides stays there."""
    service.unlink(session, scope.user_id)


@router.get("/calendar-link/clashes")
def list_clashes(scope: Read, session: Db) -> Page[ClashRead]:
    """What the linked calendar and yours could not bring together."""
    return Page(
        items=[
            ClashRead(
                id=clash.id, activity_id=row.id, subject=row.subject, field=clash.field, ours=clash.server,
                theirs=clash.mine, since=clash.created_at,
            )
            for clash, row in clashes.of_user(session, scope)
        ]
    )  # fmt: skip


@router.post("/calendar-link/clashes/{clash_id}/decision", status_code=204)
def settle_clash(clash_id: UUID, body: Settling, scope: Write, session: Db) -> None:
    """Keep your value of a field, or take the one of the linked calendar."""
    clashes.settle(session, scope, clash_id, body.take)


@router.get("/calendar-feed")
def get_feed(scope: Read, session: Db) -> FeedRead:
    """The address that calendar programs read; its secret part is not shown again."""
    feed = feeds.of_user(session, scope.user_id)
    if feed is None:
        raise NotFound("There is no address yet.")
    return FeedRead.model_validate(feed)


@router.post("/calendar-feed", status_code=201)
def make_feed(body: FeedWrite, scope: Read, session: Db) -> FeedMade:
    """Make a new address; an older one ends."""
    feed, secret = feeds.make(session, scope.user_id, body.contents)
    session.refresh(feed)
    return FeedMade(**FeedRead.model_validate(feed).model_dump(), path=f"/calendar/feed/{secret}.ics")


@router.patch("/calendar-feed")
def choose_contents(body: FeedWrite, scope: Read, session: Db) -> FeedRead:
    """Let the present address hold something else."""
    feeds.choose(session, scope.user_id, body.contents)
    return get_feed(scope, session)


@router.delete("/calendar-feed", status_code=204)
def revoke_feed(scope: Read, session: Db) -> None:
    """End the address: whoever has it reads nothing any more."""
    feeds.revoke(session, scope.user_id)
