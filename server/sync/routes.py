"""The protocol's endpoints and the JSON API of conflicts. A reply leaves only after its transaction is committed."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.paging import Page
from server.sync import hello
from server.sync.calling.admission import first_sync, in_turn
from server.sync.calling.calls import PhoneRoute
from server.sync.calling.phones import Body, answer, parse, phone
from server.sync.calling.transactions import reading, writing
from server.sync.leaving import rescue
from server.sync.protocol import wire
from server.sync.pulling import digest, glance, pull
from server.sync.pushing import conflicts, push
from server.sync.schemas import ConflictRead, Decision

router = APIRouter(tags=["sync"], route_class=PhoneRoute)

Reader = Annotated[Scope, phone("sync:read", only_token=True)]
Writer = Annotated[Scope, phone("sync:write", only_token=True)]
ReadConflicts = Annotated[Scope, requires("conflicts:read")]
DecideConflicts = Annotated[Scope, requires("conflicts:decide")]


@router.post("/sync/v1/hello")
def say_hello(scope: Reader, body: Body) -> Response:
    """Begin a sync: versions, epoch, last op taken, buckets, limits."""
    request = parse(wire.HelloRequest, body, scope)
    return answer(writing(lambda session: hello.hello(session, scope, request)))


@router.post("/sync/v1/push")
def push_ops(scope: Writer, body: Body) -> Response:
    """Take ops in, in order, each exactly once."""
    request = parse(wire.PushRequest, body, scope)
    return Response(writing(lambda session: push.push(session, scope, request)), media_type="application/json")


@router.post("/sync/v1/pull", dependencies=[in_turn()])
def pull_page(scope: Reader, body: Body) -> Response:
    """One page of what changed."""
    request = parse(wire.PullRequest, body, scope)
    said = glance.page(scope, request)
    if said is None:
        with first_sync(request), reading() as session:
            said = pull.pull(session, scope, request)
    return Response(said, media_type="application/json")


@router.post("/sync/v1/digest", dependencies=[in_turn()])
def compare_digest(scope: Reader, body: Body) -> Response:
    """Compare what the phone holds with what it should hold."""
    request = parse(wire.DigestRequest, body, scope)
    with reading() as session:
        return answer(digest.compare(session, scope, request))


@router.post("/sync/v1/rescue", status_code=204)
def keep_damaged(scope: Writer, content: rescue.Raw) -> None:
    """Keep a damaged outbox as it is, for somebody to look at."""
    writing(lambda session: rescue.keep(session, scope, content))


@router.get("/api/v1/conflicts")
def list_conflicts(
    scope: ReadConflicts, session: Db, state: str = "open", limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Page[ConflictRead]:
    """Fields that two people changed, for somebody to decide; the newest first."""
    return Page(items=conflicts.listed(session, scope, state=state, limit=limit))


@router.post("/api/v1/conflicts/{conflict_id}/decision")
def decide_conflict(conflict_id: UUID, body: Decision, scope: DecideConflicts, session: Db) -> ConflictRead:
    """Decide a conflict; the decision is an ordinary edit of the record."""
    return conflicts.decide(session, scope, conflict_id, body)


@router.post("/api/v1/conflicts/{conflict_id}/undo")
def undo_decision(conflict_id: UUID, scope: DecideConflicts, session: Db) -> ConflictRead:
    """Take a decision back: the field holds again what stood before, and the conflict waits again."""
    return conflicts.undo(session, scope, conflict_id)
