"""What customers see: the public help form, and the question whether they were content."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from server.auth.access import public
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.tickets import forms, queues, service
from server.tickets.models import Queue, Ticket
from server.web.forms import Sent, given
from server.web.pages import attempt, language_of, render
from server.web.tickets import files_of

router = APIRouter(prefix="/help", include_in_schema=False)


@router.get("/rating/{token}", dependencies=[public("the sealed link in the mail is the proof")])
def show_rating(request: Request, token: str, session: Db) -> Response:
    """Whether the customer is content; following the link alone says nothing yet."""
    ticket = session.get_one(Ticket, forms.rated_ticket(token))
    return render(request, "help/rating.html", None, ticket=ticket, said=ticket.rating)


@router.post("/rating/{token}", dependencies=[public("the sealed link in the mail is the proof")])
def rate(
    request: Request,
    token: str,
    session: Db,
    content: Annotated[bool, Form()],
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """The customer says it."""
    ticket = service.rate(session, forms.rated_ticket(token), content, note)
    return render(request, "help/rating.html", None, ticket=ticket, said=ticket.rating)


@router.get("/{key}", dependencies=[public("customers ask for help without signing in")])
def show_form(request: Request, key: str, session: Db) -> Response:
    """The form of a queue."""
    return form_page(request, session, queues.by_form_key(session, key), {})


def form_page(
    request: Request,
    session: Session,
    queue: Queue,
    values: Mapping[str, str | None],
    error: WaymarkError | None = None,
    token: str | None = None,
) -> Response:
    """The form with what was refused; a text that was written is never lost."""
    status = int(error.status) if error else 200
    token = token or forms.token_for(queue)
    return render(request, "help/form.html", None, status=status, queue=queue, values=values, error=error, token=token)


@router.post("/{key}", dependencies=[public("customers ask for help without signing in")])
def send_form(
    request: Request,
    key: str,
    session: Db,
    sent: Sent,
    token: Annotated[str, Form(max_length=2000)] = "",
    website: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Take the form in and say its number."""
    queue = queues.by_form_key(session, key)
    values = given(sent, ("requester_name", "requester_email", "requester_phone", "subject", "body"))
    language = language_of(request, None).code
    address = request.client.host if request.client else None
    try:
        with attempt(session):
            known = {**values, "language": language}
            ticket = forms.send(session, queue, token, website, known, files_of(sent), address)
    except forms.LooksLikeSpam as error:
        return form_page(request, session, queue, values, error, token)
    except WaymarkError as error:
        return form_page(request, session, queue, values, error, token if error.details.get("field") else None)
    return render(request, "help/thanks.html", None, ticket=ticket, queue=queue)
