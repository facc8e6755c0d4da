"""The page of the company's own fields: fields by object, visit types with forms, pick lists, templates of trades."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from server.auth.access import Scope, requires
from server.fields import forms, queries, service, trades
from server.fields.models import OBJECTS, FieldKind
from server.kit.database import Db
from server.kit.errors import NotFound, WaymarkError
from server.web.forms import Sent, given, id_of, number, text
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/fields", include_in_schema=False)

ReadFields = Annotated[Scope, requires("fields:read")]
WriteFields = Annotated[Scope, requires("fields:write")]

PROPERTIES = ("label", "key", "kind", "section", "help", "unit", "default", "minimum", "maximum", "pattern", "position")

KINDS = {
    FieldKind.TEXT: "Text",
    FieldKind.LONG_TEXT: "Long text",
    FieldKind.NUMBER: "Number",
    FieldKind.MONEY: "Amount of money",
    FieldKind.DATE: "Date",
    FieldKind.FLAG: "Yes or no",
    FieldKind.CHOICE: "One choice",
    FieldKind.CHOICES: "Several choices",
    FieldKind.URL: "Web address",
    FieldKind.MAIL: "E-mail",
    FieldKind.PHONE: "Phone",
}
"""How people call the kinds."""


@router.get("")
def show_fields(request: Request, scope: ReadFields, session: Db, object: str = "account") -> Response:
    """The fields of one object."""
    return fields_page(request, scope, session, object)


def fields_page(
    request: Request,
    scope: Scope,
    session: Session,
    object: str,
    *,
    field_id: UUID | None = None,
    values: dict[str, Any] | None = None,
    error: WaymarkError | None = None,
) -> Response:
    """The fields of one object, with the form of a new one or of one that is changed."""
    if object not in OBJECTS:
        raise NotFound("There is no such object.")
    found = queries.fields_of(session, object, archived=True)
    edited = next((one for one in found if one.id == field_id), None)
    if edited is not None and values is None:
        values = {name: getattr(edited, name) for name in (*PROPERTIES, "required", "searchable", "archived", "rev")}
        values["choices"] = written_choices(edited.choices)
    return render(
        request,
        "fields/fields.html",
        scope,
        status=int(error.status) if error else 200,
        objects=[(name, label) for name, label in OBJECTS.items() if queries.holding(session, name)],
        object=object,
        found=found,
        edited=edited,
        values=dict.fromkeys((*PROPERTIES, "choices", "required", "searchable", "archived"))
        | {"kind": "text"}
        | (values or {}),
        kinds=KINDS,
        error=error,
    )


def written_choices(choices: list[dict[str, Any]]) -> str:
    """Choices as lines of a form: `value | label`, `~` before archived ones."""
    return "\n".join(f"{'~ ' if one.get('archived') else ''}{one['value']} | {one['label']}" for one in choices)


@router.get("/edit/{field_id}")
def show_edit(request: Request, field_id: UUID, scope: WriteFields, session: Db) -> Response:
    """The form of a field that is there."""
    return fields_page(request, scope, session, service.find(session, field_id).object, field_id=field_id)


def properties(sent: FormData) -> dict[str, Any]:
    """What the form says of a field."""
    values: dict[str, Any] = given(sent, PROPERTIES)
    values["choices"] = text(sent, "choices") or ""
    return values | {name: name in sent for name in ("required", "searchable", "archived")}


@router.post("")
def save(
    request: Request,
    scope: WriteFields,
    session: Db,
    sent: Sent,
    object: Annotated[str, Form()],
    field_id: Annotated[str, Form()] = "",
    rev: Annotated[int, Form()] = 0,
) -> Response:
    """Add a field, or change one."""
    values = properties(sent)
    known = id_of(field_id, "field_id")
    try:
        with attempt(session):
            if known is None:
                service.add(session, object, values)
            else:
                service.change(session, known, rev, {k: v for k, v in values.items() if k in service.CHANGEABLE})
    except WaymarkError as error:
        session.expire_all()
        return fields_page(request, scope, session, object, field_id=known, values={**values, "rev": rev}, error=error)
    return go(f"/fields?object={object}&saved=1")


@router.post("/delete/{field_id}")
def delete(request: Request, field_id: UUID, scope: WriteFields, session: Db, rev: Annotated[int, Form()]) -> Response:
    """Take a field away that holds nothing."""
    object = service.find(session, field_id).object
    try:
        with attempt(session):
            service.delete(session, field_id, rev)
    except WaymarkError as error:
        return fields_page(request, scope, session, object, field_id=field_id, error=error)
    return go(f"/fields?object={object}")


# Visit types


@router.get("/visits")
def show_types(request: Request, scope: ReadFields, session: Db, edit: UUID | None = None) -> Response:
    """The visit types with what is asked there."""
    return types_page(request, scope, session, edit)


def types_page(
    request: Request,
    scope: Scope,
    session: Session,
    edit: UUID | None = None,
    *,
    written: str | None = None,
    error: WaymarkError | None = None,
) -> Response:
    """The page, with what was refused."""
    types = [(one, forms.current(session, one.id)) for one in queries.visit_types(session, archived=True)]
    edited = next(((one, form) for one, form in types if one.id == edit), None)
    return render(
        request,
        "fields/visits.html",
        scope,
        status=int(error.status) if error else 200,
        types=types,
        edited=edited,
        questions=edited[1].questions if edited and edited[1] else [],
        written=written,
        kinds=KINDS,
        error=error,
    )


@router.post("/visits")
def save_type(
    request: Request,
    scope: WriteFields,
    session: Db,
    sent: Sent,
    type_id: Annotated[str, Form()] = "",
    rev: Annotated[int, Form()] = 0,
) -> Response:
    """Add a visit type, or change one with its questions."""
    known = id_of(type_id, "type_id")
    try:
        with attempt(session):
            minutes = number(sent, "minutes")
            values = {"name": text(sent, "name"), "service_s": round(minutes * 60) if minutes else None}
            type_ = forms.set_type(session, values | {"archived": "archived" in sent}, type_id=known, base_rev=rev)
            if known is not None:
                forms.set_questions(session, type_.id, sent_questions(sent), by=scope.user_id)
    except WaymarkError as error:
        session.expire_all()
        return types_page(request, scope, session, known, error=error)
    return go(f"/fields/visits?edit={type_.id}&saved=1")


def sent_questions(sent: FormData) -> list[dict[str, Any]]:
    """The questions of the form in their order; lines without a text are left out."""
    found = []
    for place in range(forms.MOST_QUESTIONS + 1):
        label = text(sent, f"q{place}.label")
        if label is None:
            continue
        condition = text(sent, f"q{place}.asked_if_is")
        found.append(
            {
                "label": label,
                "key": text(sent, f"q{place}.key"),
                "kind": text(sent, f"q{place}.kind"),
                "unit": text(sent, f"q{place}.unit"),
                "required": f"q{place}.required" in sent,
                "choices": (text(sent, f"q{place}.choices") or "").replace(";", "\n"),
                "asked_if": text(sent, f"q{place}.asked_if"),
                "asked_if_is": [part.strip() for part in condition.split(";")] if condition else [],
                "position": number(sent, f"q{place}.position") or place,
            }
        )
    return sorted(found, key=lambda one: one["position"])


# Pick lists and templates


@router.get("/lists")
def show_lists(request: Request, scope: ReadFields, session: Db) -> Response:
    """The pick lists."""
    return lists_page(request, scope, session)


def lists_page(request: Request, scope: Scope, session: Session, error: WaymarkError | None = None) -> Response:
    """The page, with what was refused."""
    lists = [(one, written_choices(one.values)) for one in queries.picklists(session)]
    return render(
        request, "fields/lists.html", scope, status=int(error.status) if error else 200, lists=lists, error=error
    )


@router.post("/lists")
def save_list(
    request: Request,
    scope: WriteFields,
    session: Db,
    name: Annotated[str, Form()],
    values: Annotated[str, Form(max_length=20_000)] = "",
) -> Response:
    """Set the entries of a pick list."""
    try:
        with attempt(session):
            entries = [{"value": one.value, "label": one.label} for one in service.choices_of(values)]
            service.set_picklist(session, name.strip(), entries)
    except WaymarkError as error:
        return lists_page(request, scope, session, error)
    return go("/fields/lists?saved=1")


@router.get("/templates")
def show_templates(request: Request, scope: ReadFields, session: Db, added: int | None = None) -> Response:
    """The templates of trades, each with what it would add."""
    shown = [(trade, trades.preview(session, trade)) for trade in trades.trades().values()]
    return render(request, "fields/templates.html", scope, shown=shown, added=added)


@router.post("/templates/{key}")
def apply_template(key: str, scope: WriteFields, session: Db) -> Response:
    """Add what a template brings and is not there."""
    added = trades.apply(session, trades.find(key), by=scope.user_id)
    return go(f"/fields/templates?added={len(added)}")
