"""JSON API of what people decide about leads: forms, rules, the model; and the door for other people's pages."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response

from server.auth.access import Scope, public, requires
from server.kit.database import Db
from server.kit.paging import Page
from server.leads import forms, learning, rules, scoring, training
from server.leads.schemas import (
    FieldAsked,
    FormAsked,
    FormRead,
    FormSent,
    FormThanks,
    FormWrite,
    ModelRead,
    PointsRead,
    PointsWrite,
    PolicyWrite,
    RuleRead,
    RuleWrite,
)

router = APIRouter(tags=["leads"])

ReadLeads = Annotated[Scope, requires("leads:read")]
AssignLeads = Annotated[Scope, requires("leads:assign")]
Origin = Annotated[str | None, Header(description="Set by browsers: the page that asks.")]


@router.get("/api/v1/lead-forms")
def list_forms(scope: AssignLeads, session: Db) -> Page[FormRead]:
    """The forms for other people's pages."""
    rules.need_manager(scope)
    return Page(items=[FormRead.model_validate(one) for one in forms.all_forms(session)])


@router.post("/api/v1/lead-forms", status_code=201)
def create_form(body: FormWrite, scope: AssignLeads, session: Db) -> FormRead:
    """A new form."""
    rules.need_manager(scope)
    return FormRead.model_validate(forms.create(session, body.model_dump()))


@router.put("/api/v1/lead-forms/{form_id}")
def change_form(form_id: UUID, body: FormWrite, scope: AssignLeads, session: Db) -> FormRead:
    """Change a form; its key stays."""
    rules.need_manager(scope)
    return FormRead.model_validate(forms.change(session, form_id, body.model_dump()))


@router.delete("/api/v1/lead-forms/{form_id}", status_code=204)
def remove_form(form_id: UUID, scope: AssignLeads, session: Db) -> None:
    """Take a form away; its leads stay."""
    rules.need_manager(scope)
    forms.remove(session, form_id)


@router.get("/api/v1/lead-intake/{key}", dependencies=[public("visitors of other people's pages fill it in")])
def ask(key: str, session: Db, response: Response, origin: Origin = None) -> FormAsked:
    """What a form asks, with a token to send it."""
    form = forms.by_key(session, key)
    forms.need_origin(form, origin)
    allow(response, origin)
    asked = [FieldAsked(**one) for one in form.fields]
    return FormAsked(title=form.title, fields=asked, consent_text=form.consent_text, token=forms.token_of(form))


@router.post("/api/v1/lead-intake/{key}", status_code=201, dependencies=[public("visitors of other people's pages")])
def send(
    key: str, body: FormSent, request: Request, session: Db, response: Response, origin: Origin = None
) -> FormThanks:
    """Send a form from a page of your own."""
    form = forms.by_key(session, key)
    forms.need_origin(form, origin)
    allow(response, origin)
    sent = forms.Sent(
        body.values,
        body.token,
        agreed=body.agreed,
        trap=body.values.get(forms.TRAP, ""),
        address=request.client.host if request.client else "",
        page=body.page,
        utm=body.utm or None,
    )
    forms.send(session, form, sent)
    return FormThanks(thanks=form.thanks)


@router.options("/api/v1/lead-intake/{key}", dependencies=[public("browsers ask before they send")])
def may_send(key: str, session: Db, response: Response, origin: Origin = None) -> Response:
    """Whether a page may send the form."""
    forms.need_origin(forms.by_key(session, key), origin)
    allow(response, origin)
    response.headers.update(
        {
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "content-type",
            "Access-Control-Max-Age": "600",
        }
    )
    response.status_code = 204
    return response


def allow(response: Response, origin: str | None) -> None:
    """Let the page read the answer; no cookie goes along."""
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Vary"] = "Origin"


@router.get("/api/v1/lead-rules")
def list_rules(scope: ReadLeads, session: Db) -> Page[RuleRead]:
    """Who gets which leads: the first rule that fits decides."""
    del scope
    return Page(items=[RuleRead.model_validate(one) for one in rules.assignment_rules(session)])


@router.post("/api/v1/lead-rules", status_code=201)
def create_rule(body: RuleWrite, scope: AssignLeads, session: Db) -> RuleRead:
    """A new rule, at the end."""
    return RuleRead.model_validate(rules.save_rule(session, scope, body.model_dump()))


@router.put("/api/v1/lead-rules/{rule_id}")
def change_rule(rule_id: UUID, body: RuleWrite, scope: AssignLeads, session: Db) -> RuleRead:
    """Change a rule."""
    return RuleRead.model_validate(rules.save_rule(session, scope, body.model_dump(), rule_id))


@router.post("/api/v1/lead-rules/{rule_id}/move")
def move_rule(rule_id: UUID, by: int, scope: AssignLeads, session: Db) -> Page[RuleRead]:
    """Move a rule up (-1) or down (1)."""
    rules.move_rule(session, scope, rule_id, by)
    return list_rules(scope, session)


@router.delete("/api/v1/lead-rules/{rule_id}", status_code=204)
def remove_rule(rule_id: UUID, scope: AssignLeads, session: Db) -> None:
    """Take a rule away."""
    rules.remove_rule(session, scope, rule_id)


@router.put("/api/v1/lead-policy")
def set_policy(body: PolicyWrite, scope: AssignLeads, session: Db) -> PolicyWrite:
    """Say how many leads a rep works at once."""
    return PolicyWrite(most_open=rules.set_policy(session, scope, body.most_open).most_open)


@router.get("/api/v1/lead-points")
def list_points(scope: ReadLeads, session: Db) -> Page[PointsRead]:
    """What earns points."""
    del scope
    return Page(items=[PointsRead.model_validate(one) for one in scoring.rules(session)])


@router.post("/api/v1/lead-points", status_code=201)
def create_points(body: PointsWrite, scope: AssignLeads, session: Db) -> PointsRead:
    """A new rule for points."""
    return PointsRead.model_validate(rules.save_points(session, scope, body.model_dump()))


@router.put("/api/v1/lead-points/{rule_id}")
def change_points(rule_id: UUID, body: PointsWrite, scope: AssignLeads, session: Db) -> PointsRead:
    """Change a rule for points."""
    return PointsRead.model_validate(rules.save_points(session, scope, body.model_dump(), rule_id))


@router.delete("/api/v1/lead-points/{rule_id}", status_code=204)
def remove_points(rule_id: UUID, scope: AssignLeads, session: Db) -> None:
    """Take a rule for points away."""
    rules.remove_points(session, scope, rule_id)


@router.get("/api/v1/lead-model")
def get_model(scope: ReadLeads, session: Db) -> ModelRead:
    """The model in use with its quality, or what is missing for one."""
    del scope
    return shown(training.state(session))


@router.post("/api/v1/lead-model/train")
def train(scope: AssignLeads, session: Db) -> ModelRead:
    """Train the model now; otherwise it is trained every night."""
    rules.need_admin(scope)
    return shown(training.train(session))


def shown(found: training.Training) -> ModelRead:
    """A training as it travels."""
    if found.model is None:
        return ModelRead(is_used=False, says=learning.in_words(found.missing))
    model = found.model
    return ModelRead(
        is_used=model.is_used,
        says="In use." if model.is_used else "No better than guessing on later leads; it is not used.",
        trained_at=model.trained_at,
        samples=model.samples,
        wins=model.wins,
        coefficients=model.coefficients,
        quality=model.quality,
    )
