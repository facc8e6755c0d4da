"""The page where admins and managers shape pipelines: stages, lists of words, exchange rates."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.kit.settings import settings
from server.opportunities import pipelines, queries, rates
from server.opportunities.models import ChoiceKind, Opportunity
from server.opportunities.values import DEAL, REQUIRABLE
from server.web.deals import CATEGORY_NAMES, share_in
from server.web.forms import Sent, needed, number, read, text
from server.web.language import Language
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/pipeline/settings", include_in_schema=False)

WritePipelines = Annotated[Scope, requires("pipelines:write")]
HERE = "/pipeline/settings"


@router.get("")
def show(request: Request, scope: WritePipelines, session: Db) -> Response:
    """All pipelines with their stages, the lists of words, the rates."""
    return page(request, scope, session)


def page(request: Request, scope: Scope, session: Session, error: WaymarkError | None = None) -> Response:
    """The page, perhaps with what was refused."""
    counted = select(Opportunity.stage_id, func.count()).where(Opportunity.deleted_at.is_(None))
    return render(
        request,
        "pipeline/settings.html",
        scope,
        status=int(error.status) if error else 200,
        error=error,
        pipelines=queries.pipelines(session),
        stages=queries.stages(session),
        deals={row[0]: row[1] for row in session.execute(counted.group_by(Opportunity.stage_id))},
        requirable=[(name, DEAL[name].label) for name in REQUIRABLE],
        words=pipelines.listed(session),
        kinds=list(ChoiceKind),
        rates=rates.rates(session),
        base=settings().currency,
        categories=CATEGORY_NAMES,
    )


def done(request: Request, scope: Scope, session: Session, act: Any) -> Response:
    """Do something and show the page again; a refusal is shown on it."""
    try:
        with attempt(session):
            act()
    except WaymarkError as error:
        return page(request, scope, session, error)
    return go(HERE)


def stage_values(sent: FormData) -> dict[str, Any]:
    """The fields of a stage as a form sends them."""
    outcome = text(sent, "outcome") or "open"
    return {
        "name": text(sent, "name"),
        "probability": share_in(sent, "percent"),
        "category": text(sent, "category"),
        "rotten_days": text(sent, "rotten_days"),
        "required": [str(one) for one in sent.getlist("required")],
        "is_won": outcome == "won",
        "is_lost": outcome == "lost",
    }


@router.post("/usual")
def begin(request: Request, scope: WritePipelines, session: Db) -> Response:
    """Begin with the usual pipeline."""
    answer = done(request, scope, session, lambda: pipelines.create_usual(session, Language(settings().language).t))
    return go("/pipeline") if answer.status_code == 303 else answer


@router.post("/pipelines")
def save_pipeline(request: Request, scope: WritePipelines, session: Db, sent: Sent) -> Response:
    """Begin a pipeline, rename one, or take one away."""
    found = read(sent, "pipeline_id", UUID)

    def act() -> None:
        if found is None:
            pipelines.create(session, text(sent, "name"))
        elif "remove" in sent:
            pipelines.remove(session, found)
        else:
            pipelines.rename(session, found, text(sent, "name"))

    return done(request, scope, session, act)


@router.post("/stages")
def save_stage(
    request: Request, scope: WritePipelines, session: Db, sent: Sent, pipeline_id: Annotated[UUID, Form()]
) -> Response:
    """Add a stage, change one, move it left or right, or take it away with its deals going elsewhere."""
    found, target = read(sent, "stage_id", UUID), read(sent, "move_to", UUID)

    def act() -> None:
        if found is None:
            pipelines.add_stage(session, pipeline_id, stage_values(sent))
        elif "remove" in sent:
            pipelines.remove_stage(session, scope, found, move_to=target)
        elif "shift" in sent:
            shift(session, pipeline_id, found, -1 if text(sent, "shift") == "left" else 1)
        else:
            pipelines.edit_stage(session, found, stage_values(sent))

    return done(request, scope, session, act)


def shift(session: Session, pipeline_id: UUID, stage_id: UUID, step: int) -> None:
    """Swap a stage with its neighbour; at the end nothing happens."""
    order = [one.id for one in queries.stages(session, pipeline_id)]
    at = order.index(stage_id)
    if 0 <= at + step < len(order):
        order[at], order[at + step] = order[at + step], order[at]
        pipelines.order_stages(session, pipeline_id, order)


@router.post("/words")
def save_word(request: Request, scope: WritePipelines, session: Db, sent: Sent) -> Response:
    """Add a word to a list, or take one off."""

    def act() -> None:
        if found := read(sent, "choice_id", UUID):
            pipelines.remove_choice(session, found)
        else:
            pipelines.add_choice(session, needed(sent, "kind", ChoiceKind), text(sent, "name"))

    return done(request, scope, session, act)


@router.post("/rates")
def save_rate(request: Request, scope: WritePipelines, session: Db, sent: Sent) -> Response:
    """Set a rate, or take one away."""

    def act() -> None:
        if found := read(sent, "rate_id", UUID):
            rates.remove_rate(session, found)
            return
        day = needed(sent, "day", date.fromisoformat)
        rates.set_rate(session, text(sent, "currency"), day, number(sent, "rate"))

    return done(request, scope, session, act)
