"""JSON API of the company's nights."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import NotFound
from server.kit.paging import Page
from server.plans.night import queries, service
from server.plans.night.jobs import plan_part
from server.plans.night_models import NightPart, NightRun, PartState

router = APIRouter(prefix="/api/v1/nights", tags=["nights"])

ReadPlanning = Annotated[Scope, requires("planning:read")]
WritePlanning = Annotated[Scope, requires("planning:write")]


class NightRequest(BaseModel):
    """What the night is to plan."""

    model_config = ConfigDict(extra="forbid")

    first_day: date
    days: int | None = Field(default=None, ge=1, le=7, description="Calendar days. Left out: as the rules say.")
    steps: int | None = Field(default=None, ge=1, le=1_000_000_000, description="Of the search, for each part.")


class NightRead(BaseModel):
    """A night without its parts."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    first_day: date
    days: int
    engine: str
    seed: int
    steps: int
    created_at: datetime


class PartRead(BaseModel):
    """A territory's share of a night."""

    id: UUID
    name: str
    state: PartState
    rep_ids: list[UUID]
    plan_id: UUID | None
    is_unchanged: bool
    tries: int
    phases: dict[str, float]
    files: dict[str, str]
    error: str | None
    error_help: str | None
    summary: dict[str, Any]
    problem_sha256: str | None = Field(description="Of all that its search was given: equal ones give equal plans.")


class NightDetail(NightRead):
    """A night with its parts."""

    is_under_way: bool
    parts: list[PartRead]

    @classmethod
    def of(cls, view: queries.NightView) -> "NightDetail":
        """A night as it goes over the wire; only the reps that somebody may see."""
        parts = []
        for one in view.parts:
            logins = {rep.login for rep in one.reps}
            own = ("summary", "rep_ids", "files", "problem_sha256")
            values = {name: getattr(one.part, name) for name in PartRead.model_fields if name not in own}
            files = {login: digest for login, digest in one.part.files.items() if login in logins}
            values |= {"summary": one.summary, "problem_sha256": one.plan.problem_sha256 if one.plan else None}
            parts.append(PartRead(**values, rep_ids=[r.rep_id for r in one.reps], files=files))
        return cls(**NightRead.model_validate(view.run).model_dump(), is_under_way=view.is_under_way, parts=parts)


@router.get("")
def list_nights(scope: ReadPlanning, session: Db) -> Page[NightRead]:
    """The latest nights."""
    del scope
    return Page(items=[NightRead.model_validate(run) for run in queries.nights(session)])


@router.post("", status_code=202)
def ask(body: NightRequest, scope: WritePlanning, session: Db) -> NightRead:
    """Plan the whole company now, in the background."""
    run = service.ask(
        session, plan_part, first_day=body.first_day, days=body.days, steps=body.steps, asked_by=scope.user_id
    )
    return NightRead.model_validate(run)


@router.get("/{run_id}")
def read_night(run_id: UUID, scope: ReadPlanning, session: Db) -> NightDetail:
    """One night with the state of its parts."""
    return NightDetail.of(queries.night(session, scope, run_id))


@router.post("/{run_id}/parts/{part_id}/again", status_code=202)
def again(run_id: UUID, part_id: UUID, scope: WritePlanning, session: Db) -> NightRead:
    """Plan a part that failed once more."""
    del scope
    part = session.get(NightPart, part_id, with_for_update=True)
    if part is None or part.run_id != run_id:
        raise NotFound("There is no such part.")
    service.again(session, plan_part, part)
    return NightRead.model_validate(session.get_one(NightRun, run_id))
