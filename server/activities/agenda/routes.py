"""JSON API of calls, meetings, tasks and mails."""

import hashlib
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from pydantic import AwareDatetime
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.activities.agenda import calling, exporting, feeds, queries, service
from server.activities.agenda.models import Activity, Kind, State
from server.activities.agenda.schemas import (
    ActivityPatch,
    ActivityRead,
    ActivityWrite,
    CallLog,
    Chosen,
    RepeatWrite,
)
from server.auth.access import Scope, public, requires
from server.auth.models import User
from server.auth.queries import visible_users
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import Invalid, NotFound
from server.kit.etags import BaseRevision, tag
from server.kit.paging import Cursor, Limit, Page

router = APIRouter(prefix="/api/v1/activities", tags=["activities"])

ReadActivities = Annotated[Scope, requires("activities:read")]
WriteActivities = Annotated[Scope, requires("activities:write")]
ExportActivities = Annotated[Scope, requires("activities:export")]
Filter = Annotated[str | None, Query(max_length=4000, description="In the filter language.")]
LONGEST_WINDOW = timedelta(days=400)


def need_account(session: Session, scope: Scope, account_id: UUID | None) -> None:
    """Refuse an account that the person may not write at."""
    if account_id is None:
        return
    seen = accounts.visible_to(scope, "activities:write").with_only_columns(Account.id).order_by(None)
    if session.scalar(seen.where(Account.id == accounts.surviving(session, account_id))) is None:
        raise NotFound("There is no such account.", field="account_id")


def need_owner(session: Session, scope: Scope, owner_id: UUID | None) -> UUID:
    """Whose it is to be; refuses people whose calendars are not the person's to write."""
    if owner_id is None or owner_id == scope.user_id:
        return scope.user_id
    people = visible_users(scope.user_id, scope.team_ids, scope.level("activities:write"))
    if session.scalars(people.where(User.id == owner_id)).one_or_none() is None:
        raise NotFound("There is no such person.", field="owner_id")
    return owner_id


def read(session: Session, row: Activity) -> ActivityRead:
    """An activity with its names."""
    session.refresh(row)
    return ActivityRead.of_row(queries.named(session, [row])[0])


@router.get("")
def list_activities(
    scope: ReadActivities,
    session: Db,
    kind: Annotated[list[Kind] | None, Query()] = None,
    state: State | None = None,
    owner_id: UUID | None = None,
    account_id: UUID | None = None,
    filter: Filter = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ActivityRead]:
    """Calls, meetings, tasks and mails, the latest first."""
    statement = queries.chosen(
        session, scope, kinds=kind or (), state=state, owner_id=owner_id, account_id=account_id, filter=filter
    )
    found = queries.page(session, statement, cursor=cursor, limit=limit)
    return Page(items=[ActivityRead.of_row(row) for row in found.rows], next_cursor=found.next_cursor)


@router.get("/calendar")
def calendar(
    scope: ReadActivities,
    session: Db,
    first: AwareDatetime,
    last: AwareDatetime,
    kind: Annotated[list[Kind] | None, Query()] = None,
    owner_id: Annotated[list[UUID] | None, Query()] = None,
) -> Page[ActivityRead]:
    """What stands in a window of time, repeats laid out, the earliest first."""
    if not first < last <= first + LONGEST_WINDOW:
        raise Invalid("The window ends before it begins, or lasts longer than 400 days.", field="last")
    statement = queries.chosen(session, scope, kinds=kind or ())
    if owner_id:
        statement = queries.of_people(statement, owner_id)
    return Page(items=[ActivityRead.of_row(row) for row in queries.between(session, statement, first, last)])


@router.get("/export")
def export(
    scope: ExportActivities,
    session: Db,
    format: exporting.Format = exporting.Format.CSV,
    kind: Annotated[list[Kind] | None, Query()] = None,
    state: State | None = None,
    account_id: UUID | None = None,
    filter: Filter = None,
) -> Response:
    """The same as a file."""
    statement = queries.chosen(
        session,
        scope,
        kinds=kind or (),
        state=state,
        account_id=account_id,
        filter=filter,
        permission="activities:export",
    )
    return exporting.answer(session, statement, format)


@router.post("", status_code=201)
def plan(body: ActivityWrite, scope: WriteActivities, session: Db, response: Response) -> ActivityRead:
    """Put a call, meeting or task into the calendar."""
    if body.kind is Kind.MAIL:
        raise Invalid("Mails are sent, not written down.", help="POST /api/v1/mails", field="kind")
    need_account(session, scope, body.account_id)
    owner = need_owner(session, scope, body.owner_id)
    given = body.model_dump(exclude_unset=True, exclude={"kind", "id", "owner_id"})
    known = session.get(Activity, body.id) if body.id else None
    if known is not None:
        queries.find(session, scope, known.id, "activities:write")
    row = service.add(session, service.NewActivity(body.kind, owner, given, id=body.id))
    found = read(session, row)
    tag(response, found.rev)
    return found


@router.post("/calls", status_code=201)
def log_call(body: CallLog, scope: WriteActivities, session: Db) -> list[ActivityRead]:
    """Take down a call, what came of it and what comes next; gives the call and the next step."""
    need_account(session, scope, body.account_id)
    if body.next is not None:
        need_owner(session, scope, body.next.owner_id)
    return [read(session, row) for row in calling.log(session, body, scope.user_id)]


@router.post("/bulk")
def change_several(body: Chosen, scope: WriteActivities, session: Db) -> dict[str, int]:
    """Do, put off or hand over several at once; those that the person may not write are left alone and not counted."""
    statement = queries.visible_to(scope, "activities:write").where(Activity.id.in_(body.ids))
    rows = list(session.scalars(statement.with_for_update(of=Activity)))
    changes = body.model_dump(exclude={"ids"}, exclude_none=True)
    if "owner_id" in changes:
        need_owner(session, scope, body.owner_id)
    for row in rows:
        service.write(session, row, changes)
    return {"changed": len(rows)}


@router.get("/{activity_id}")
def get_activity(activity_id: UUID, scope: ReadActivities, session: Db, response: Response) -> ActivityRead:
    """One activity."""
    found = read(session, queries.find(session, scope, activity_id))
    tag(response, found.rev)
    return found


@router.patch("/{activity_id}")
def change(
    activity_id: UUID, body: ActivityPatch, scope: WriteActivities, session: Db, base: BaseRevision, response: Response
) -> ActivityRead:
    """Change fields; another one's change of the same field in between is named."""
    row = queries.find(session, scope, activity_id, "activities:write")
    need_account(session, scope, body.account_id)
    if body.owner_id is not None and body.owner_id != row.owner_id:
        need_owner(session, scope, body.owner_id)
    found = read(session, service.change(session, row, body.changes(), base, scope.actor))
    tag(response, found.rev)
    return found


@router.delete("/{activity_id}", status_code=204)
def remove(activity_id: UUID, scope: WriteActivities, session: Db) -> Response:
    """Delete an activity; a series with all its repeats."""
    service.remove(session, queries.find(session, scope, activity_id, "activities:write"))
    return Response(status_code=204)


@router.post("/{activity_id}/restore")
def restore(activity_id: UUID, scope: WriteActivities, session: Db) -> ActivityRead:
    """Take a deletion back."""
    mine = select(Activity).where(Activity.id == activity_id, Activity.deleted_at.is_not(None))
    row = session.scalars(mine).one_or_none()
    if row is None or (row.owner_id != scope.user_id and row.account_id is None):
        raise NotFound("There is no such deleted activity.")
    if row.owner_id != scope.user_id:
        need_account(session, scope, row.account_id)
    service.bring_back(session, row)
    return read(session, row)


@router.put("/{activity_id}/repeats")
def change_repeat(activity_id: UUID, body: RepeatWrite, scope: WriteActivities, session: Db) -> ActivityRead:
    """Change one repeat of a series by itself."""
    row = queries.find(session, scope, activity_id, "activities:write")
    need_account(session, scope, body.account_id)
    return read(session, service.change_repeat(session, row, body.at, body.changes()))


@router.delete("/{activity_id}/repeats", status_code=204)
def leave_out(activity_id: UUID, at: AwareDatetime, scope: WriteActivities, session: Db) -> Response:
    """Leave one repeat of a series out."""
    row = queries.find(session, scope, activity_id, "activities:write")
    service.leave_out(session, row, datetime.fromisoformat(at.isoformat()))
    return Response(status_code=204)


feed_router = APIRouter(prefix="/calendar/feed", tags=["activities"])


@feed_router.get(
    "/{secret}.ics", dependencies=[public("the address itself is the secret: calendar programs do not sign in")]
)
def read_feed(secret: str, session: Db, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """Somebody's calendar, for a calendar program."""
    feed = feeds.by_secret(session, secret)
    owner = session.get_one(User, feed.user_id)
    if not owner.active:
        raise NotFound("There is no such calendar.")
    found = feeds.content(session, feed, owner.name)
    etag = f'"{hashlib.sha256(found).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, max-age=300"}
    if if_none_match is not None and etag in if_none_match:
        return Response(status_code=304, headers=headers)
    feed.read_at = clock.now()
    return Response(found, media_type="text/calendar; charset=utf-8", headers=headers)
