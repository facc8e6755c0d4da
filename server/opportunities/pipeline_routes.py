"""JSON API of pipelines, stages, words of lists and exchange rates."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.paging import Page
from server.opportunities import pipelines, queries, rates
from server.opportunities.models import Pipeline
from server.opportunities.schemas import (
    ChoiceRead,
    ChoiceWrite,
    OrderWrite,
    PipelineRead,
    PipelineWrite,
    RateRead,
    RateWrite,
    RemovedRead,
    StageFields,
    StageRead,
)

router = APIRouter(prefix="/api/v1", tags=["pipelines"])

ReadPipelines = Annotated[Scope, requires("pipelines:read")]
WritePipelines = Annotated[Scope, requires("pipelines:write")]


def read(session: Session, pipeline: Pipeline) -> PipelineRead:
    """A pipeline with its stages."""
    return PipelineRead.of(pipeline, queries.stages(session, pipeline.id))


@router.get("/pipelines")
def list_pipelines(scope: ReadPipelines, session: Db) -> Page[PipelineRead]:
    """All pipelines with their stages."""
    del scope
    stages = queries.stages(session)
    return Page(items=[PipelineRead.of(one, stages) for one in queries.pipelines(session)])


@router.post("/pipelines", status_code=201)
def create(body: PipelineWrite, scope: WritePipelines, session: Db) -> PipelineRead:
    """Begin a pipeline."""
    del scope
    return read(session, pipelines.create(session, body.name))


@router.post("/pipelines/usual", status_code=201)
def create_usual(scope: WritePipelines, session: Db) -> PipelineRead:
    """Begin with the usual pipeline: six stages, sources and reasons."""
    del scope
    return read(session, pipelines.create_usual(session))


@router.patch("/pipelines/{pipeline_id}")
def rename(pipeline_id: UUID, body: PipelineWrite, scope: WritePipelines, session: Db) -> PipelineRead:
    """Give a pipeline another name."""
    del scope
    return read(session, pipelines.rename(session, pipeline_id, body.name))


@router.delete("/pipelines/{pipeline_id}", status_code=204)
def remove(pipeline_id: UUID, scope: WritePipelines, session: Db) -> None:
    """Take a pipeline away; 409 while deals stand in it."""
    del scope
    pipelines.remove(session, pipeline_id)


@router.put("/pipelines/{pipeline_id}/order")
def order(pipeline_id: UUID, body: OrderWrite, scope: WritePipelines, session: Db) -> PipelineRead:
    """Put the stages into another order."""
    del scope
    pipelines.order_stages(session, pipeline_id, body.stage_ids)
    return read(session, pipelines.find(session, pipeline_id))


@router.post("/pipelines/{pipeline_id}/stages", status_code=201)
def add_stage(pipeline_id: UUID, body: StageFields, scope: WritePipelines, session: Db) -> StageRead:
    """Add a stage at the end."""
    del scope
    return StageRead.model_validate(pipelines.add_stage(session, pipeline_id, body.given()))


@router.patch("/stages/{stage_id}")
def edit_stage(stage_id: UUID, body: StageFields, scope: WritePipelines, session: Db) -> StageRead:
    """Change a stage."""
    del scope
    return StageRead.model_validate(pipelines.edit_stage(session, stage_id, body.given()))


@router.delete("/stages/{stage_id}")
def remove_stage(stage_id: UUID, scope: WritePipelines, session: Db, move_to: UUID | None = None) -> RemovedRead:
    """Take a stage away; its deals move to `move_to`. 409 `deals_in_stage` with the count without it."""
    return RemovedRead(moved=pipelines.remove_stage(session, scope, stage_id, move_to=move_to).moved)


@router.get("/deal-choices")
def list_choices(scope: ReadPipelines, session: Db) -> Page[ChoiceRead]:
    """Competitors, sources and reasons."""
    del scope
    return Page(items=[ChoiceRead.model_validate(one) for one in pipelines.listed(session)])


@router.post("/deal-choices", status_code=201)
def add_choice(body: ChoiceWrite, scope: WritePipelines, session: Db) -> ChoiceRead:
    """Add a word to a list."""
    del scope
    return ChoiceRead.model_validate(pipelines.add_choice(session, body.kind, body.name))


@router.delete("/deal-choices/{choice_id}", status_code=204)
def remove_choice(choice_id: UUID, scope: WritePipelines, session: Db) -> None:
    """Take a word off its list; deals that have it keep it."""
    del scope
    pipelines.remove_choice(session, choice_id)


@router.get("/exchange-rates")
def list_rates(scope: ReadPipelines, session: Db) -> Page[RateRead]:
    """All rates, by currency, the latest first."""
    del scope
    return Page(items=[RateRead.model_validate(one) for one in rates.rates(session)])


@router.put("/exchange-rates")
def set_rate(body: RateWrite, scope: WritePipelines, session: Db) -> RateRead:
    """Say what a currency is worth from a day on."""
    del scope
    return RateRead.model_validate(rates.set_rate(session, body.currency, body.day, body.rate))


@router.delete("/exchange-rates/{rate_id}", status_code=204)
def remove_rate(rate_id: UUID, scope: WritePipelines, session: Db) -> None:
    """Take a rate away."""
    del scope
    rates.remove_rate(session, rate_id)
