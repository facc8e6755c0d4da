"""JSON API of custom fields, pick lists, visit types, forms and templates."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.fields import forms, queries, service, trades
from server.fields.models import FormVersion, VisitType
from server.fields.schemas import (
    AdditionRead,
    CustomFieldCreate,
    CustomFieldRead,
    CustomFieldWrite,
    FormRead,
    PicklistRead,
    PicklistWrite,
    QuestionsWrite,
    TradeRead,
    VisitTypeRead,
    VisitTypeWrite,
)
from server.kit.database import Db
from server.kit.errors import NotFound
from server.kit.etags import BaseRevision, tag
from server.kit.paging import Page

router = APIRouter(prefix="/api/v1", tags=["fields"])

ReadFields = Annotated[Scope, requires("fields:read")]
WriteFields = Annotated[Scope, requires("fields:write")]


@router.get("/fields")
def list_fields(
    scope: ReadFields, session: Db, object: str = "account", archived: bool = False
) -> Page[CustomFieldRead]:
    """The company's own fields of an object, in their order."""
    found = queries.fields_of(session, object, archived=archived)
    return Page(items=[CustomFieldRead.model_validate(one) for one in found])


@router.post("/fields", status_code=201)
def add_field(body: CustomFieldCreate, scope: WriteFields, session: Db, response: Response) -> CustomFieldRead:
    """Add a field to an object."""
    made = service.add(session, body.object, body.given())
    tag(response, made.rev)
    return CustomFieldRead.model_validate(made)


@router.patch("/fields/{field_id}")
def change_field(
    field_id: UUID, body: CustomFieldWrite, scope: WriteFields, session: Db, base: BaseRevision, response: Response
) -> CustomFieldRead:
    """Change a field. 409 where values would be lost: archive it, or the choice, instead."""
    changed = service.change(session, field_id, base, body.given())
    tag(response, changed.rev)
    return CustomFieldRead.model_validate(changed)


@router.delete("/fields/{field_id}", status_code=204)
def delete_field(field_id: UUID, scope: WriteFields, session: Db, base: BaseRevision) -> None:
    """Take a field away that holds no value; 409 otherwise."""
    service.delete(session, field_id, base)


@router.get("/picklists")
def list_picklists(scope: ReadFields, session: Db) -> Page[PicklistRead]:
    """All pick lists."""
    return Page(items=[PicklistRead.model_validate(one) for one in queries.picklists(session)])


@router.put("/picklists/{name}")
def set_picklist(name: str, body: PicklistWrite, scope: WriteFields, session: Db) -> PicklistRead:
    """Set the entries of a pick list; rows that hold a value which is gone keep it."""
    made = service.set_picklist(session, name, [one.model_dump() for one in body.values])
    session.refresh(made)
    return PicklistRead.model_validate(made)


def read_type(session: Session, one: VisitType) -> VisitTypeRead:
    """A visit type with what is asked now."""
    form = forms.current(session, one.id)
    found = VisitTypeRead.model_validate(one)
    if form is not None:
        found.form_version_id, found.form_version, found.questions = form.id, form.version, form.questions
    return found


@router.get("/visit-types")
def list_types(scope: ReadFields, session: Db, archived: bool = False) -> Page[VisitTypeRead]:
    """The visit types, each with what is asked now."""
    return Page(items=[read_type(session, one) for one in queries.visit_types(session, archived=archived)])


@router.post("/visit-types", status_code=201)
def add_type(body: VisitTypeWrite, scope: WriteFields, session: Db, response: Response) -> VisitTypeRead:
    """Add a visit type."""
    made = forms.set_type(session, body.given())
    tag(response, made.rev)
    return read_type(session, made)


@router.patch("/visit-types/{type_id}")
def change_type(
    type_id: UUID, body: VisitTypeWrite, scope: WriteFields, session: Db, base: BaseRevision, response: Response
) -> VisitTypeRead:
    """Change a visit type."""
    changed = forms.set_type(session, body.given(), type_id=type_id, base_rev=base)
    tag(response, changed.rev)
    return read_type(session, changed)


@router.delete("/visit-types/{type_id}", status_code=204)
def delete_type(type_id: UUID, scope: WriteFields, session: Db) -> None:
    """Take a visit type away; visits keep it."""
    forms.delete_type(session, type_id)


@router.put("/visit-types/{type_id}/form")
def set_form(type_id: UUID, body: QuestionsWrite, scope: WriteFields, session: Db) -> VisitTypeRead:
    """Ask this from now on: a new version of the form; answers keep the version they were given to."""
    forms.set_questions(session, type_id, [one.model_dump() for one in body.questions], by=scope.user_id)
    return read_type(session, forms.find_type(session, type_id))


@router.get("/forms/{version_id}")
def get_form(version_id: UUID, scope: ReadFields, session: Db) -> FormRead:
    """What was asked, by the version that an answer names."""
    found = session.get(FormVersion, version_id)
    if found is None:
        raise NotFound("There is no such form.", id=str(version_id))
    return FormRead.model_validate(found)


@router.get("/templates")
def list_templates(scope: ReadFields, session: Db) -> Page[TradeRead]:
    """The templates of trades, with what each would add."""
    return Page(items=[shown(trade, trades.preview(session, trade)) for trade in trades.trades().values()])


def shown(trade: trades.Trade, additions: list[trades.Addition]) -> TradeRead:
    """A template with what it adds."""
    return TradeRead(
        key=trade.key,
        name=trade.name,
        about=trade.about,
        additions=[AdditionRead.model_validate(one) for one in additions],
    )


@router.post("/templates/{key}/apply")
def apply_template(key: str, scope: WriteFields, session: Db) -> TradeRead:
    """Add what a template brings and is not there yet; twice changes nothing. Answers what was added."""
    trade = trades.find(key)
    return shown(trade, trades.apply(session, trade, by=scope.user_id))
