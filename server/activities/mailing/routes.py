"""JSON API of mails to accounts, their templates, and one's signature."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from server.activities.agenda import queries
from server.activities.agenda.models import Activity, Kind
from server.activities.agenda.routes import need_account, read
from server.activities.agenda.schemas import ActivityRead
from server.activities.mailing import service
from server.activities.mailing.schemas import LetterWrite, Signature, TemplateRead, TemplateWrite
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import Invalid
from server.kit.paging import Page

router = APIRouter(prefix="/api/v1", tags=["mail"])

Write = Annotated[Scope, requires("activities:write")]


@router.post("/accounts/{account_id}/mail", status_code=201)
def send_letter(account_id: UUID, body: LetterWrite, scope: Write, session: Db) -> ActivityRead:
    """Send a mail to an account, and keep it there."""
    need_account(session, scope, account_id)
    before = answered(session, scope, body.answers)
    letter = service.Letter(
        account_id=account_id, to=body.to, subject=body.subject.strip(), body=body.body, answers=before
    )
    return read(session, service.send(session, scope.user_id, letter))


def answered(session: Db, scope: Scope, activity_id: UUID | None) -> Activity | None:
    """The mail that is answered. Refuses one that the person does not see, and what is no mail."""
    if activity_id is None:
        return None
    found = queries.find(session, scope, activity_id)
    if found.kind != Kind.MAIL:
        raise Invalid("Only a mail can be answered.", field="answers")
    return found


@router.get("/mail-templates")
def list_templates(scope: Write, session: Db) -> Page[TemplateRead]:
    """All templates, by name."""
    del scope
    return Page(items=[TemplateRead.model_validate(one) for one in service.templates(session)])


@router.post("/mail-templates", status_code=201)
def add_template(body: TemplateWrite, scope: Write, session: Db) -> TemplateRead:
    """Write a text down that is needed often."""
    del scope
    return TemplateRead.model_validate(service.keep_template(session, body.name, body.subject, body.body))


@router.put("/mail-templates/{template_id}")
def change_template(template_id: UUID, body: TemplateWrite, scope: Write, session: Db) -> TemplateRead:
    """Write a template anew."""
    del scope
    return TemplateRead.model_validate(service.keep_template(session, body.name, body.subject, body.body, template_id))


@router.delete("/mail-templates/{template_id}", status_code=204)
def drop_template(template_id: UUID, scope: Write, session: Db) -> None:
    """Use a template no more."""
    del scope
    service.drop_template(session, template_id)


@router.get("/mail-signature")
def get_signature(scope: Write, session: Db) -> Signature:
    """What stands below your mails."""
    return Signature(signature=service.signature(session, scope.user_id))


@router.put("/mail-signature")
def set_signature(body: Signature, scope: Write, session: Db) -> Signature:
    """Set what stands below your mails."""
    service.sign(session, scope.user_id, body.signature)
    return Signature(signature=service.signature(session, scope.user_id))
