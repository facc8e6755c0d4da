"""A deal: a new one, one in full, its form, its moves and its lines."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from server.accounts import queries as accounts
from server.auth.access import Scope, requires
from server.auth.models import Role
from server.contacts.models import Contact, ContactAccount
from server.fields.queries import fields_of
from server.kit.database import Db
from server.kit.errors import Invalid, NotFound, PreconditionFailed, WaymarkError
from server.kit.settings import settings
from server.opportunities import line_history, moving, pipelines, pricing, queries, service
from server.opportunities.line_history import Saved
from server.opportunities.models import ChoiceKind, Opportunity
from server.opportunities.queries import Step
from server.opportunities.service import NewDeal
from server.opportunities.values import DEAL, percent
from server.products import queries as products
from server.records.currencies import digits
from server.web.deal_lines import numbers_of, recognised
from server.web.forms import Sent, given, id_in, read, text
from server.web.own_fields import nested, sent_own
from server.web.pages import attempt, go, language_of, render
from server.web.users import people_of

router = APIRouter(prefix="/pipeline", include_in_schema=False)

ReadDeals = Annotated[Scope, requires("opportunities:read")]
WriteDeals = Annotated[Scope, requires("opportunities:write")]

SIMPLE = (
    "name number amount currency close_on category next_step next_step_on source reason note owner_id site_id "
    "contact_id"
).split()
"""Fields that a form sends as plain texts."""


CATEGORY_NAMES = (("commit", "Commit"), ("best_case", "Best case"), ("pipeline", "Pipeline"), ("omitted", "Omitted"))


def choices(request: Request, session: Session, scope: Scope) -> dict[str, Any]:
    """What forms of deals offer."""
    t = language_of(request, scope).t

    def pairs(words: list[str], kept: str | None = None) -> list[tuple[str, str]]:
        """The words of a list for a select, with one that the deal has although it was taken off."""
        known = words if kept is None or kept in words else [*words, kept]
        return [("", "–"), *((word, t(word)) for word in known)]

    listed = pipelines.listed(session)
    return choices_of_many(request, session, scope) | {
        "words": {kind.value: [one.name for one in listed if one.kind == kind] for kind in ChoiceKind},
        "pairs": pairs,
    }


def choices_of_many(request: Request, session: Session, scope: Scope) -> dict[str, Any]:
    """What is offered for one deal and for many at once."""
    t = language_of(request, scope).t
    return {
        "people_choices": people_of(session, scope, Role.REP, Role.MANAGER),
        "category_pairs": lambda: [(key, t(name)) for key, name in CATEGORY_NAMES],
        "base": settings().currency,
    }


@router.get("/new")
def show_new(request: Request, scope: WriteDeals, session: Db, account: UUID | None = None) -> Response:
    """The form of a new deal."""
    return new_page(request, scope, session, {"account_id": account, "owner_id": scope.user_id})


def new_page(
    request: Request, scope: Scope, session: Session, values: Mapping[str, Any], error: WaymarkError | None = None
) -> Response:
    """The form with what was refused."""
    row = accounts.detail(session, scope, at) if (at := id_in(values.get("account_id"))) else None
    open_stages = [one for one in queries.stages(session) if not (one.is_won or one.is_lost)]
    names = {one.id: one.name for one in queries.pipelines(session)}
    t = language_of(request, scope).t
    return render(
        request,
        "pipeline/new.html",
        scope,
        status=int(error.status) if error else 200,
        values=values,
        error=error,
        account=row.account if row else None,
        own_fields=fields_of(session, "opportunity"),
        contact_choices=contacts_of(session, row.account.id) if row else [],
        stage_choices=[(one.id, f"{t(names[one.pipeline_id])}: {t(one.name)}") for one in open_stages],
        **choices(request, session, scope),
    )


@router.post("/new")
def create(request: Request, scope: WriteDeals, session: Db, sent: Sent) -> Response:
    """Open a deal."""
    values: dict[str, Any] = given(sent, (*SIMPLE, "account_id", "stage_id", "account_name"))
    try:
        with attempt(session):
            wanted = {name: value for name, value in values.items() if value is not None and name in DEAL}
            if "account_id" not in wanted:
                raise Invalid("Account: choose one from the list.", field="account_name")
            wanted["competitors"] = sent.getlist("competitors")
            wanted["custom"] = nested(sent_own(sent, fields_of(session, "opportunity")))
            deal = service.create(session, scope, NewDeal(wanted, stage_id=read(sent, "stage_id", UUID)))
    except WaymarkError as error:
        return new_page(request, scope, session, values, error)
    return go(f"/pipeline/deals/{deal.id}")


@router.get("/accounts")
def suggest(request: Request, scope: WriteDeals, session: Db, account_name: str = "") -> Response:
    """A fragment: accounts that a new deal may be with."""
    found = accounts.page(session, scope, search=account_name, limit=8).rows if account_name.strip() else []
    return render(request, "pipeline/accounts.html", scope, rows=found, asked=account_name)


@router.get("/deals/{deal_id}")
def show_deal(request: Request, deal_id: UUID, scope: ReadDeals, session: Db) -> Response:
    """One deal in full: where it stands, what happens next, how it came here."""
    return deal_page(request, scope, session, deal_id)


def deal_page(
    request: Request,
    scope: Scope,
    session: Session,
    deal_id: UUID,
    error: WaymarkError | None = None,
    typed: list[dict[str, str]] | None = None,
) -> Response:
    """The page of a deal, perhaps with what was refused and the lines as they were typed."""
    row = queries.detail(session, scope, deal_id)
    sites = accounts.sites_of(session, [row.account_id])
    lines = queries.lines_of(session, [deal_id]) if scope.sees("opportunity", "amount") else []
    others = [one for one in queries.of_account(session, scope, row.account_id) if one.deal.id != deal_id]
    return render(
        request,
        "pipeline/deal.html",
        scope,
        status=int(error.status) if error else 200,
        row=row,
        deal=row.deal,
        stages=queries.stages(session, row.deal.pipeline_id),
        lines=lines,
        worth=pricing.worth,
        places=digits(row.deal.currency),
        sums=pricing.sums(lines, row.deal.currency),
        listed_prices=pricing.listed_prices(session, row.deal, lines, scope.zone),
        numbers=numbers_of(session, [line.product_id for line in lines if line.product_id]),
        past=past_of(session, scope, row.deal),
        taxes=products.tax_classes(session),
        own_fields=fields_of(session, "opportunity"),
        contact=next((name for key, name in contacts_of(session, row.account_id) if key == row.deal.contact_id), None),
        others=others[:8],
        may_write=scope.may("opportunities:write") and may_write(session, scope, deal_id),
        site=next((one for one in sites if one.id == row.deal.site_id), sites[0] if sites else None),
        error=error,
        typed=typed,
        told=request.query_params.get("told", ""),
        **choices(request, session, scope),
    )


def past_of(session: Session, scope: Scope, deal: Opportunity) -> list[Step | Saved]:
    """How a deal came here, the latest first: its steps through the stages, and what became of its lines."""
    past: list[Step | Saved] = [*queries.way_of(session, deal.id)]
    if scope.sees("opportunity", "amount"):
        past += line_history.history(session, deal)
    return sorted(past, key=lambda one: one.at, reverse=True)


def contacts_of(session: Session, account_id: UUID) -> list[tuple[UUID, str]]:
    """The people at an account by name, for a choice."""
    name = func.trim(func.concat(Contact.first_name, " ", Contact.last_name))
    there = select(ContactAccount.contact_id).where(
        ContactAccount.account_id.in_(accounts.family(account_id)), ContactAccount.deleted_at.is_(None)
    )
    found = select(Contact.id, name).where(
        Contact.id.in_(there), Contact.deleted_at.is_(None), Contact.merged_into.is_(None)
    )
    return [(row[0], row[1] or "–") for row in session.execute(found.order_by(Contact.last_name, Contact.id))]


def may_write(session: Session, scope: Scope, deal_id: UUID) -> bool:
    """Whether somebody may change a deal that they see."""
    try:
        queries.find(session, scope, deal_id, "opportunities:write")
    except NotFound:
        return False
    return True


@router.get("/deals/{deal_id}/edit")
def show_edit(request: Request, deal_id: UUID, scope: WriteDeals, session: Db) -> Response:
    """A fragment: the form in place of the facts."""
    deal = queries.find(session, scope, deal_id, "opportunities:write")
    values = {name: getattr(deal, name) for name in DEAL}
    return edit_form(request, scope, session, deal_id, values, rev=deal.rev)


def edit_form(
    request: Request,
    scope: Scope,
    session: Session,
    deal_id: UUID,
    values: Mapping[str, Any],
    *,
    rev: int,
    error: WaymarkError | None = None,
) -> Response:
    """The form of a deal; a clash shows both values of each field."""
    clashes = {}
    if isinstance(error, PreconditionFailed):
        clashes = {clash["field"]: clash for clash in error.details.get("conflicts", [])}
        rev = error.details.get("rev", rev)
    deal = queries.find(session, scope, deal_id)
    sites = [
        (one.id, one.name or one.street or one.city or "–") for one in accounts.sites_of(session, [deal.account_id])
    ]
    return render(
        request,
        "pipeline/edit.html",
        scope,
        status=int(error.status) if error else 200,
        deal=deal,
        values=values,
        rev=rev,
        error=error,
        clashes=clashes,
        site_choices=sites,
        contact_choices=contacts_of(session, service.account_of(session, deal).id),
        own_fields=fields_of(session, "opportunity"),
        has_lines=bool(queries.lines_of(session, [deal_id])),
        **choices(request, session, scope),
    )


def changes_of(sent: Any) -> dict[str, Any]:
    """What a form changes, without the fields for which the other person's value was chosen."""
    values: dict[str, Any] = given(sent, SIMPLE)
    if "percent" in sent:
        values["probability"] = share_in(sent, "percent")
    if "has_competitors" in sent:
        values["competitors"] = sent.getlist("competitors")
    return {name: value for name, value in values.items() if sent.get(f"choose-{name}") != "theirs"}


def share_in(sent: FormData, name: str) -> Decimal | None:
    """A probability in per cent as a share; what cannot be is refused as it was written."""
    try:
        return percent(text(sent, name))
    except Invalid as error:
        raise Invalid(f"Probability: {error.message}.", help=error.help, field=name) from error


@router.post("/deals/{deal_id}/edit")
def edit(
    request: Request, deal_id: UUID, scope: WriteDeals, session: Db, sent: Sent, rev: Annotated[int, Form()]
) -> Response:
    """Change a deal that was seen at a revision; what others changed meanwhile is merged."""
    try:
        with attempt(session):
            own = nested(sent_own(sent, fields_of(session, "opportunity")))
            wanted = changes_of(sent) | ({"custom": own} if own else {})
            done = service.edit(session, scope, deal_id, rev, wanted)
    except WaymarkError as error:
        values = {name: getattr(queries.find(session, scope, deal_id), name) for name in DEAL}
        values |= given(sent, (*SIMPLE, "percent"))
        return edit_form(request, scope, session, deal_id, values, rev=rev, error=error)
    told = f"?{urlencode({'told': done.notes[0]['message']})}" if done.notes else ""
    return Response(status_code=204, headers={"HX-Redirect": f"/pipeline/deals/{deal_id}{told}"})


@router.get("/deals/{deal_id}/move")
def show_move(request: Request, deal_id: UUID, scope: WriteDeals, session: Db, stage: UUID) -> Response:
    """A fragment: a sheet that asks for exactly what the stage wants and the deal does not have."""
    deal = queries.find(session, scope, deal_id, "opportunities:write")
    return move_sheet(request, scope, session, deal_id, stage, rev=deal.rev)


def move_sheet(
    request: Request,
    scope: Scope,
    session: Session,
    deal_id: UUID,
    stage_id: UUID,
    *,
    rev: int,
    values: Mapping[str, Any] | None = None,
    error: WaymarkError | None = None,
) -> Response:
    """The sheet of a move, perhaps with what was refused."""
    deal = queries.find(session, scope, deal_id)
    stage = pipelines.find_stage(session, stage_id)
    sites = [
        (one.id, one.name or one.street or one.city or "–") for one in accounts.sites_of(session, [deal.account_id])
    ]
    return render(
        request,
        "pipeline/move.html",
        scope,
        status=int(error.status) if error else 200,
        deal=deal,
        stage=stage,
        missing=moving.missing_fields(session, deal, stage, {}),
        labels={name: rule.label for name, rule in DEAL.items()},
        values=values or {},
        rev=rev,
        error=error,
        site_choices=sites,
        contact_choices=contacts_of(session, service.account_of(session, deal).id),
        **choices(request, session, scope),
    )


@router.post("/deals/{deal_id}/move")
def move(
    request: Request,
    deal_id: UUID,
    scope: WriteDeals,
    session: Db,
    sent: Sent,
    rev: Annotated[int, Form()],
    stage_id: Annotated[UUID, Form()],
) -> Response:
    """Move a deal with what the stage wants to know."""
    changes = {name: value for name, value in changes_of(sent).items() if value not in (None, [])}
    try:
        with attempt(session):
            moving.move(session, scope, deal_id, stage_id, rev, changes)
    except WaymarkError as error:
        rev = error.details.get("rev", rev)
        return move_sheet(request, scope, session, deal_id, stage_id, rev=rev, values=changes, error=error)
    return Response(status_code=204, headers={"HX-Trigger": "deal-moved"})


@router.post("/deals/{deal_id}/lines")
def set_lines(
    request: Request, deal_id: UUID, scope: WriteDeals, session: Db, sent: Sent, rev: Annotated[int, Form()]
) -> Response:
    """Write the lines of a deal: one row of the form each, empty ones are left out."""
    names = ("name", "quantity", "unit_price", "discount_percent", "tax_class_id")
    rows = zip(*(sent.getlist(f"line_{name.removesuffix('_percent')}") for name in names), strict=False)
    typed = [dict(zip(names, map(str, row), strict=True)) for row in rows if any(str(cell).strip() for cell in row)]
    try:
        with attempt(session):
            done = service.set_lines(session, scope, deal_id, rev, recognised(session, scope, deal_id, typed))
    except WaymarkError as error:
        return deal_page(request, scope, session, deal_id, error, typed)
    told = f"?{urlencode({'told': done.notes[0]['message']})}" if done.notes else ""
    return go(f"/pipeline/deals/{deal_id}{told}")


@router.post("/deals/{deal_id}/delete")
def delete(deal_id: UUID, scope: WriteDeals, session: Db, rev: Annotated[int, Form()]) -> Response:
    """Take a deal away; the list offers to bring it back."""
    service.delete(session, scope, deal_id, rev)
    return go(f"/pipeline/list?deleted={deal_id}")


@router.post("/deals/{deal_id}/restore")
def restore(deal_id: UUID, scope: WriteDeals, session: Db) -> Response:
    """Bring a deleted deal back."""
    service.restore(session, scope, deal_id)
    return go(f"/pipeline/deals/{deal_id}")
