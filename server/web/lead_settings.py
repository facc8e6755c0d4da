"""What managers decide about leads: web forms, who gets which, what earns points; and how good the model is."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from server.auth.access import Scope, requires
from server.auth.models import Role, Team
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.kit.settings import settings
from server.leads import forms, learning, rules, scoring, training
from server.leads.fields import fields
from server.leads.wording import FACTORS
from server.territories import queries as territories
from server.web.forms import Sent, read, text
from server.web.lead_forms import snippets
from server.web.pages import attempt, go, render
from server.web.users import people_of

router = APIRouter(prefix="/leads/settings", include_in_schema=False)

AssignLeads = Annotated[Scope, requires("leads:assign")]
FORM_TEXTS = ("name", "title", "consent_text", "thanks", "campaign", "language")


@router.get("/forms")
def show_forms(request: Request, scope: AssignLeads, session: Db) -> Response:
    """The web forms, and what came of them."""
    rules.need_manager(scope)
    return render(request, "leads/forms.html", scope, forms=forms.all_forms(session), counted=forms.counted(session))


@router.get("/forms/new")
def show_new_form(request: Request, scope: AssignLeads) -> Response:
    """A new form with the usual questions."""
    rules.need_manager(scope)
    usual = [("company", True), ("person", False), ("emails", True), ("phones", False), ("city", False)]
    values: dict[str, Any] = {
        "asked": {name: required for name, required in (*usual, ("message", False))},
        "thanks": "Thank you. We will call you.",
        "consent_text": "You may contact me about my request.",
        "language": scope.language or settings().language,
        "is_on": True,
    }
    return form_page(request, scope, None, values)


@router.get("/forms/{form_id}")
def show_form(request: Request, form_id: UUID, scope: AssignLeads, session: Db) -> Response:
    """One form: what it asks, the piece of HTML for a page, and a preview."""
    rules.need_manager(scope)
    form = forms.find(session, form_id)
    values: dict[str, Any] = {name: getattr(form, name) for name in FORM_TEXTS} | {
        "asked": {one["name"]: one["is_required"] for one in form.fields},
        "origins": "\n".join(form.origins),
        "is_on": form.is_on,
    }
    return form_page(request, scope, form, values)


def form_page(
    request: Request, scope: Scope, form: Any, values: dict[str, Any], error: WaymarkError | None = None
) -> Response:
    """The form's editor, with what was refused."""
    address = settings().public_url or str(request.base_url)
    return render(
        request,
        "leads/form_edit.html",
        scope,
        status=int(error.status) if error else 200,
        form=form,
        values=values,
        error=error,
        askable=forms.ASKABLE,
        snippets=snippets(form, address) if form else {},
        saved=request.query_params.get("saved"),
    )


@router.post("/forms")
def save_form(request: Request, scope: AssignLeads, session: Db, sent: Sent) -> Response:
    """Add a form, change one, or take one away."""
    rules.need_manager(scope)
    form_id = read(sent, "id", UUID)
    if sent.get("do") == "remove" and form_id:
        forms.remove(session, form_id)
        return go("/leads/settings/forms")
    wish = form_wish(sent)
    try:
        with attempt(session):
            form = forms.change(session, form_id, wish) if form_id else forms.create(session, wish)
    except WaymarkError as error:
        asked = {one["name"]: one["is_required"] for one in wish["fields"]}
        values = wish | {"asked": asked, "origins": "\n".join(wish["origins"])}
        return form_page(request, scope, forms.find(session, form_id) if form_id else None, values, error)
    return go(f"/leads/settings/forms/{form.id}?saved=1")


def form_wish(sent: FormData) -> dict[str, Any]:
    """What the editor says of a form."""
    asked = [
        {"name": name, "is_required": sent.get(f"required-{name}") is not None}
        for name in forms.ASKABLE
        if sent.get(f"ask-{name}") is not None
    ]
    origins = (text(sent, "origins") or "").split()
    return {name: text(sent, name) for name in FORM_TEXTS} | {
        "fields": asked, "origins": origins, "is_on": sent.get("is_on") is not None,
    }  # fmt: skip


@router.get("/rules")
def show_rules(request: Request, scope: AssignLeads, session: Db) -> Response:
    """Who gets which leads."""
    rules.need_manager(scope)
    return rules_page(request, scope, session)


def rules_page(
    request: Request, scope: Scope, session: Session, error: WaymarkError | None = None, wish: Any = None
) -> Response:
    """The rules in their order, with what was refused."""
    teams = session.scalars(select(Team).where(Team.deleted_at.is_(None)).order_by(Team.name)).all()
    targets: list[tuple[str, str, str]] = [
        *(("territory", str(one.id), one.name) for one in territories.active(session)),
        *(("team", str(one.id), one.name) for one in teams),
        *(("person", str(one.id), one.name) for one in people_of(session, scope, Role.REP, Role.MANAGER)),
    ]
    return render(
        request,
        "leads/rules.html",
        scope,
        status=int(error.status) if error else 200,
        rules=rules.assignment_rules(session),
        targets=targets,
        names={key: name for _kind, key, name in targets},
        policy=rules.policy(session),
        known=fields().values(),
        error=error,
        wish=wish or {},
    )


@router.post("/rules")
def save_rule(request: Request, scope: AssignLeads, session: Db, sent: Sent) -> Response:
    """Add, change, move or take away a rule; say how many leads a rep works at once."""
    wish = {name: text(sent, name) for name in ("name", "condition", "do", "id", "most_open", "target")}
    try:
        with attempt(session):
            decide_rule(session, scope, wish, sent)
    except WaymarkError as error:
        return rules_page(request, scope, session, error, wish)
    return go("/leads/settings/rules")


def decide_rule(session: Session, scope: Scope, wish: dict[str, str | None], sent: FormData) -> None:
    """Do what a button says."""
    rule_id = read(sent, "id", UUID)
    match wish["do"]:
        case "up" | "down" if rule_id:
            rules.move_rule(session, scope, rule_id, -1 if wish["do"] == "up" else 1)
        case "remove" if rule_id:
            rules.remove_rule(session, scope, rule_id)
        case "policy":
            rules.set_policy(session, scope, read(sent, "most_open", int) or 0)
        case _:
            target, _, target_id = (wish["target"] or "covering:").partition(":")
            is_on = sent.get("is_on") is not None or rule_id is None
            kept = {"name": wish["name"], "condition": wish["condition"], "target": target, "target_id": target_id}
            rules.save_rule(session, scope, {**kept, "is_on": is_on}, rule_id)


@router.get("/score")
def show_score(request: Request, scope: AssignLeads, session: Db) -> Response:
    """What earns points, and how good the model is."""
    return score_page(request, scope, session)


def score_page(
    request: Request, scope: Scope, session: Session, error: WaymarkError | None = None, wish: Any = None
) -> Response:
    """The rules for points and the model's quality, with what was refused."""
    state = training.state(session)
    models = training.models(session)
    latest = models[0] if models else None
    return render(
        request,
        "leads/score.html",
        scope,
        status=int(error.status) if error else 200,
        points=scoring.rules(session),
        may_change=is_admin(scope),
        model=latest,
        missing=state.missing if state.model is None else None,
        weights=weights(latest.coefficients) if latest else [],
        models=models,
        known=fields().values(),
        error=error,
        wish=wish or {},
        lacking=learning.LACKING,
    )


def weights(coefficients: dict[str, Any]) -> list[tuple[str, float]]:
    """What counts most in a model: its words and weights, the strongest first."""
    model = learning.Model.of(coefficients)
    found = [(FACTORS[name][0], weight) for name, weight in zip(model.features, model.weights, strict=True)]
    return sorted((one for one in found if abs(one[1]) >= 0.01), key=lambda one: -abs(one[1]))


def is_admin(scope: Scope) -> bool:
    """Whether somebody decides what earns points."""
    try:
        rules.need_admin(scope)
    except WaymarkError:
        return False
    return True


@router.post("/score")
def save_score(request: Request, scope: AssignLeads, session: Db, sent: Sent) -> Response:
    """Add, change or take away a rule for points; train the model now."""
    wish = {name: text(sent, name) for name in ("sentence", "condition", "points", "do", "id")}
    try:
        with attempt(session):
            rule_id = read(sent, "id", UUID)
            if wish["do"] == "train":
                rules.need_admin(scope)
                training.train(session)
            elif wish["do"] == "remove" and rule_id:
                rules.remove_points(session, scope, rule_id)
            else:
                is_on = sent.get("is_on") is not None or rule_id is None
                rules.save_points(session, scope, {**wish, "is_on": is_on}, rule_id)
    except WaymarkError as error:
        return score_page(request, scope, session, error, wish)
    return go("/leads/settings/score")
