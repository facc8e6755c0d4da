"""JSON API of queues and canned answers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.etags import BaseRevision, tag
from server.kit.paging import Page
from server.tickets import queries, queues
from server.tickets.schemas import AnswerFields, AnswerRead, QueueFields, QueueRead

router = APIRouter(prefix="/api/v1", tags=["tickets"])

ReadTickets = Annotated[Scope, requires("tickets:read")]
AssignTickets = Annotated[Scope, requires("tickets:assign")]


@router.get("/ticket-queues")
def list_queues(scope: ReadTickets, session: Db) -> Page[QueueRead]:
    """All queues."""
    return Page(items=[QueueRead.of(one) for one in queries.queues(session)])


@router.post("/ticket-queues", status_code=201)
def add_queue(body: QueueFields, scope: AssignTickets, session: Db, response: Response) -> QueueRead:
    """Make a queue; what is left out is as usual."""
    queue = queues.create(session, scope, {k: v for k, v in body.changes().items() if v is not None})
    tag(response, queue.rev)
    return QueueRead.of(queue)


@router.get("/ticket-queues/{queue_id}")
def show_queue(queue_id: UUID, scope: ReadTickets, session: Db, response: Response) -> QueueRead:
    """One queue."""
    queue = queries.queue(session, queue_id)
    tag(response, queue.rev)
    return QueueRead.of(queue)


@router.patch("/ticket-queues/{queue_id}")
def change_queue(
    queue_id: UUID, body: QueueFields, scope: AssignTickets, session: Db, base: BaseRevision, response: Response
) -> QueueRead:
    """Change a queue that you read at the revision of `If-Match`; what is due at its tickets follows."""
    queue = queues.edit(session, scope, queue_id, base, body.changes())
    tag(response, queue.rev)
    return QueueRead.of(queue)


@router.delete("/ticket-queues/{queue_id}", status_code=204)
def remove_queue(queue_id: UUID, scope: AssignTickets, session: Db) -> Response:
    """Take a queue away in which nothing waits."""
    queues.remove(session, scope, queue_id)
    return Response(status_code=204)


@router.get("/ticket-answers")
def list_answers(scope: ReadTickets, session: Db, queue_id: UUID | None = None) -> Page[AnswerRead]:
    """The canned answers, of a queue when it is given."""
    return Page(items=[AnswerRead.of(one) for one in queries.answers(session, queue_id)])


@router.post("/ticket-answers", status_code=201)
def add_answer(body: AnswerFields, scope: AssignTickets, session: Db, response: Response) -> AnswerRead:
    """Make a canned answer."""
    answer = queues.save_answer(session, scope, None, 0, body.changes())
    tag(response, answer.rev)
    return AnswerRead.of(answer)


@router.patch("/ticket-answers/{answer_id}")
def change_answer(
    answer_id: UUID, body: AnswerFields, scope: AssignTickets, session: Db, base: BaseRevision, response: Response
) -> AnswerRead:
    """Change a canned answer that you read at the revision of `If-Match`."""
    answer = queues.save_answer(session, scope, answer_id, base, body.changes())
    tag(response, answer.rev)
    return AnswerRead.of(answer)


@router.delete("/ticket-answers/{answer_id}", status_code=204)
def remove_answer(answer_id: UUID, scope: AssignTickets, session: Db) -> Response:
    """Take a canned answer away."""
    queues.remove_answer(session, scope, answer_id)
    return Response(status_code=204)
