"""Mails to an account: writing one, answering one, templates."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from server.accounts.models import Account
from server.accounts.routes import read
from server.activities.agenda import queries
from server.activities.agenda.models import Activity, Kind
from server.activities.agenda.routes import need_account
from server.activities.mailing import service
from server.auth.access import Scope, requires
from server.auth.models import User
from server.kit.database import Db
from server.kit.errors import Invalid, WaymarkError
from server.kit.ids import uuid7
from server.mail import queries as mail_queries
from server.mail.service import File
from server.web.forms import Sent, needed, text
from server.web.forms import read as read_form
from server.web.pages import attempt, go, render

router = APIRouter(include_in_schema=False)

Write = Annotated[Scope, requires("activities:write")]


@router.get("/accounts/{account_id}/mail")
def show_letter(
    request: Request,
    account_id: UUID,
    scope: Write,
    session: Db,
    answers: UUID | None = None,
    template: UUID | None = None,
    change: bool = False,
) -> Response:
    """The form of a mail, empty, as an answer, or from a template; or of the template itself, to be changed."""
    need_account(session, scope, account_id)
    account = session.get_one(Account, account_id)
    values: dict[str, Any] = {"to": account.email or "", "subject": "", "body": "", "key": uuid7()}
    before = answered(session, scope, answers)
    if before is not None:
        to = [before.sender] if before.direction == "in" else before.recipients
        plain = before.subject.removeprefix("Re: ")
        values |= {"to": ", ".join(filter(None, to)), "subject": f"Re: {plain}"[:300], "answers": before.id}
        values["body"] = f"\n\n{service.quoted(before.note or '')}"
    chosen = next((one for one in service.templates(session) if one.id == template), None)
    if chosen is not None and change:
        values |= {"subject": chosen.subject, "body": chosen.body, "name": chosen.name, "template_id": chosen.id}
    elif chosen is not None:
        person = session.get_one(User, scope.user_id)
        subject, body = (service.filled(one, account, person) for one in (chosen.subject, chosen.body))
        values |= {"body": body + values["body"], "chosen": chosen}
        values["subject"] = values["subject"] or subject
    return letter_page(request, scope, session, account_id, values)


def answered(session: Session, scope: Scope, answers: UUID | None) -> Activity | None:
    """The mail that is answered, when the person may see it."""
    if answers is None:
        return None
    found = queries.find(session, scope, answers)
    return found if found.kind == Kind.MAIL else None


def letter_page(
    request: Request,
    scope: Scope,
    session: Session,
    account_id: UUID,
    values: dict[str, Any],
    error: WaymarkError | None = None,
) -> Response:
    """The form, with what was entered and refused."""
    return render(
        request,
        "inbox/letter.html",
        scope,
        status=int(error.status) if error else 200,
        account=read(session, scope, account_id),
        values=values,
        templates=service.templates(session),
        signature=service.signature(session, scope.user_id),
        has_server=mail_queries.configured(session) is not None,
        error=error,
    )


@router.post("/accounts/{account_id}/mail")
def send_letter(request: Request, account_id: UUID, scope: Write, session: Db, sent: Sent) -> Response:
    """Send the mail; the same form twice is one mail."""
    values = {name: text(sent, name) or "" for name in ("to", "subject", "body", "key", "answers")}
    files = [one for one in sent.getlist("files") if isinstance(one, UploadFile) and one.filename]
    contents = [
        File(str(one.filename), one.content_type or "application/octet-stream", one.file.read()) for one in files
    ]
    try:
        with attempt(session):
            need_account(session, scope, account_id)
            before = answered(session, scope, UUID(values["answers"]) if values["answers"] else None)
            letter = service.Letter(
                account_id=account_id,
                to=values["to"].replace(";", ",").replace(",", " ").split(),
                subject=values["subject"],
                body=values["body"],
                answers=before,
                files=contents,
                key=UUID(values["key"]),
            )
            service.send(session, scope.user_id, letter)
    except (WaymarkError, ValueError) as error:
        shown = error if isinstance(error, WaymarkError) else Invalid("The form is not one of ours.", help="Reload it.")
        return letter_page(request, scope, session, account_id, values, shown)
    return go(f"/accounts/{account_id}")


@router.post("/mail-templates")
def keep_template(request: Request, scope: Write, session: Db, sent: Sent) -> Response:
    """Write a text down that is needed often, from the form of a mail; or change one."""
    account_id = needed(sent, "account_id", UUID)
    values = {name: text(sent, name) or "" for name in ("name", "to", "subject", "body", "key", "answers")}
    template_id = read_form(sent, "template_id", UUID)
    need_account(session, scope, account_id)
    try:
        with attempt(session):
            kept = service.keep_template(session, values["name"], values["subject"], values["body"], template_id)
    except WaymarkError as error:
        shown = {**values, "key": values["key"] or uuid7(), "template_id": template_id, "is_kept": True}
        return letter_page(request, scope, session, account_id, shown, error)
    return go(f"/accounts/{account_id}/mail?template={kept.id}")


@router.post("/mail-templates/{template_id}/drop")
def drop_template(template_id: UUID, scope: Write, session: Db, sent: Sent) -> Response:
    """Use a template no more."""
    service.drop_template(session, template_id)
    return go(f"/accounts/{needed(sent, 'account_id', UUID)}/mail")
