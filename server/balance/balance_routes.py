"""JSON API of balancing: ask for a run, look at its scenarios, change one by hand, preview and apply it."""

import json
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.balance import balancing, reading
from server.balance.models import BalanceArea, BalanceRun, BalanceScenario
from server.balance.schemas import ChangeRead
from server.kit import clock
from server.kit.database import Db
from server.kit.paging import Page
from server.kit.settings import settings

router = APIRouter(prefix="/api/v1/balance-runs", tags=["territories"])

ReadTerritories = Annotated[Scope, requires("territories:read")]
WriteTerritories = Annotated[Scope, requires("territories:write")]


class RunWrite(BaseModel):
    """What is balanced."""

    model_config = ConfigDict(extra="forbid")

    territory_ids: list[UUID] = Field(default=[], description="Left out: all that are worked.")


class ScenarioRead(BaseModel):
    """One way to share the ground; lists are in the order of the run's territories, amounts a year's."""

    key: str = Field(description="few, even, compact, or hand: changed by a person.")
    hours: list[float]
    value: list[float]
    potential: list[float]
    travel_h: list[float]
    hours_spread: float = Field(description="(largest - smallest) / mean.")
    value_spread: float
    potential_spread: float
    moved_accounts: int
    like: str | None = Field(
        default=None, description="now or the key of an earlier scenario whose amounts are within 2 % of these."
    )
    compactness: float = Field(description="Share of neighbouring areas that belong together, 0 to 1.")
    pieces: list[int] = Field(description="In how many pieces each territory lies; 1 is whole.")
    strips_km: list[float] = Field(
        default=[], description="The longest narrow strip through which each territory reaches new ground; 0: none."
    )
    apply_on: date | None = None
    trouble: str = ""
    change_id: UUID | None = Field(default=None, description="Applied as this change, which can be undone.")


class RunRead(BaseModel):
    """A balance: where it stands, how the territories are, and the scenarios."""

    id: UUID
    state: str
    progress: float
    stage: str
    trouble: str
    territory_ids: list[UUID]
    territories: list[str]
    travel_is_estimated: bool
    created_at: datetime
    now: ScenarioRead | None
    scenarios: list[ScenarioRead]


class AdjustWrite(BaseModel):
    """Small areas that go to a territory by hand."""

    model_config = ConfigDict(extra="forbid")

    areas: list[int] = Field(min_length=1, max_length=10_000)
    to_id: UUID


class ApplyWrite(BaseModel):
    """When a scenario is applied."""

    model_config = ConfigDict(extra="forbid")

    preview: bool = Field(default=False, description="Only say what it would move.")
    apply_on: date | None = Field(default=None, description="A day to come; left out: now.")
    why: str = Field(default="", max_length=500)


def scenario_read(scope: Scope, found: BalanceScenario) -> ScenarioRead:
    """A scenario as it goes over the wire."""
    return ScenarioRead(
        key=found.key,
        **reading.measures(scope, found.facts),
        apply_on=found.apply_on,
        trouble=found.trouble or "",
        change_id=found.change_id,
    )


def run_read(session: Session, scope: Scope, run: BalanceRun) -> RunRead:
    """A run as it goes over the wire."""
    names = balancing.names_of(session, run)
    found = balancing.scenarios_of(session, run.id)
    like = balancing.likenesses(run, found)
    return RunRead(
        id=run.id,
        state=run.state,
        progress=run.progress,
        stage=run.stage,
        trouble=run.trouble,
        territory_ids=run.territory_ids,
        territories=[names.get(one, "–") for one in run.territory_ids],
        travel_is_estimated=run.facts.get("estimated", False),
        created_at=run.created_at,
        now=ScenarioRead(key="now", **reading.measures(scope, run.facts["now"])) if "now" in run.facts else None,
        scenarios=[scenario_read(scope, one).model_copy(update={"like": like.get(one.key)}) for one in found],
    )


@router.post("", status_code=202)
def ask(body: RunWrite, scope: WriteTerritories, session: Db) -> RunRead:
    """Ask for a balance; a job computes it."""
    return run_read(session, scope, balancing.request(session, body.territory_ids, asked_by=scope.user_id))


@router.get("")
def list_runs(scope: ReadTerritories, session: Db) -> Page[RunRead]:
    """The latest balances."""
    rows = session.scalars(select(BalanceRun).order_by(BalanceRun.created_at.desc()).limit(20))
    return Page(items=[run_read(session, scope, row) for row in rows])


@router.get("/{run_id}")
def show(run_id: UUID, scope: ReadTerritories, session: Db) -> RunRead:
    """Where a balance stands, and its scenarios."""
    return run_read(session, scope, balancing.known(session, run_id))


@router.post("/{run_id}/cancel", status_code=204)
def cancel(run_id: UUID, scope: WriteTerritories, session: Db) -> None:
    """Stop a balance that waits or is under way."""
    balancing.cancel(session, run_id)


@router.get("/{run_id}/areas")
def areas(run_id: UUID, scope: ReadTerritories, session: Db) -> Response:
    """The small areas as GeoJSON: who has each now and in each scenario, as numbers of the run's territories."""
    balancing.known(session, run_id)
    owners = {one.key: one.owners for one in balancing.scenarios_of(session, run_id)}
    rows = session.execute(
        select(BalanceArea.number, BalanceArea.owner, BalanceArea.accounts, BalanceArea.hours,
               func.ST_AsGeoJSON(BalanceArea.area, 6))
        .where(BalanceArea.run_id == run_id).order_by(BalanceArea.number)
    )  # fmt: skip
    features: list[dict[str, Any]] = [
        {
            "type": "Feature",
            "id": number,
            "properties": {"number": number, "now": owner, "accounts": accounts, "hours": round(hours, 1)}
            | {key: found[number] for key, found in owners.items()},
            "geometry": json.loads(outline),
        }
        for number, owner, accounts, hours, outline in rows
    ]
    return Response(json.dumps({"type": "FeatureCollection", "features": features}), media_type="application/geo+json")


@router.post("/{run_id}/scenarios/{key}/give")
def give(run_id: UUID, key: str, body: AdjustWrite, scope: WriteTerritories, session: Db) -> ScenarioRead:
    """Give small areas to another territory; makes or changes the scenario `hand` and says how good it is."""
    return scenario_read(scope, balancing.adjust(session, run_id, key, body.areas, body.to_id))


@router.post("/{run_id}/scenarios/{key}/apply")
def apply(run_id: UUID, key: str, body: ApplyWrite, scope: WriteTerritories, session: Db) -> ChangeRead:
    """Say what a scenario moves, apply it now, or have a job apply it on the morning of a day."""
    if body.preview or body.apply_on is not None:
        if body.apply_on is not None and not body.preview:
            today = clock.today(settings().zone)
            balancing.apply_from(session, run_id, key, body.apply_on, today=today, by=scope.user_id)
        change, effects = balancing.preview(session, run_id, key)
        return reading.change_read(session, scope, change, effects)
    made = balancing.apply(session, run_id, key, why=body.why)
    return ChangeRead(id=made.id, kind=made.kind, effects=reading.told(scope, made.effects))


@router.delete("/{run_id}/scenarios/{key}/apply", status_code=204)
def call_off(run_id: UUID, key: str, scope: WriteTerritories, session: Db) -> None:
    """Call off a scenario that waits for its day."""
    balancing.call_off(session, run_id, key)
