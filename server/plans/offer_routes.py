"""JSON API of times to offer a customer."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from routing.offers import Shade
from server.activities.schemas import VisitRead
from server.auth.access import Scope, requires
from server.kit import clock
from server.kit.database import Db
from server.kit.settings import settings
from server.plans import offers
from server.plans.offers import RepTimes

router = APIRouter(prefix="/api/v1/accounts/{account_id}/times", tags=["plans"])

WritePlans = Annotated[Scope, requires("plans:write")]


class SlotRead(BaseModel):
    """A time to offer."""

    starts_at: datetime
    latest_at: datetime = Field(description="Latest start in the same gap.")
    detour_s: int = Field(description="Driving that it adds to the day.")
    shade: Shade
    moves: int = Field(description="Other stops of the day that change places for it.")


class TimesRead(BaseModel):
    """What one rep could offer on one day."""

    rep_id: UUID
    rep_name: str
    day: date
    is_planned: bool = Field(description="Whether the day has a published route; else only promises are known of it.")
    shut: str | None = Field(
        description="Why there is no time: not_working, not_allowed, closed, unreachable, limit, full."
    )
    why: str = Field(description="What is special about the day, in words: a holiday, an absence, a closed site.")
    slots: list[SlotRead] = Field(description="The least detour first.")

    @classmethod
    def of(cls, times: RepTimes) -> "TimesRead":
        """One day as it goes over the wire."""
        slots = [
            SlotRead(
                starts_at=times.moment(s.starts_s),
                latest_at=times.moment(s.latest_s),
                detour_s=s.detour_s,
                shade=s.shade,
                moves=s.moves,
            )
            for s in times.slots
        ]
        return cls(
            rep_id=times.rep.id,
            rep_name=times.rep.name,
            day=times.day,
            is_planned=times.is_planned,
            shut=times.shut,
            why=times.why,
            slots=slots,
        )


class Times(BaseModel):
    """Times to offer."""

    service_s: int
    days: list[TimesRead]


class Promise(BaseModel):
    """A time that was chosen."""

    model_config = ConfigDict(extra="forbid")

    rep_id: UUID
    starts_at: AwareDatetime
    service_s: int | None = Field(default=None, ge=60, le=43_200, description="Left out: as long as usual.")
    objective: str | None = Field(default=None, max_length=2000)


@router.get("")
def find_times(
    account_id: UUID,
    scope: WritePlans,
    session: Db,
    first_day: Annotated[date | None, Query(description="Left out: tomorrow.")] = None,
    days: Annotated[int, Query(ge=1, le=offers.MOST_DAYS)] = 20,
    service_s: Annotated[int | None, Query(ge=60, le=43_200, description="Left out: as long as usual.")] = None,
    team: Annotated[bool, Query(description="Look at everybody's days, not only the account's rep's.")] = False,
    rep_ids: Annotated[list[UUID] | None, Query(max_length=100)] = None,
) -> Times:
    """When somebody could come, and what each time costs in driving."""
    asked = offers.asked_for(session, scope, account_id, service_s)
    reps = offers.reps_for(session, scope, asked.account, team=team, rep_ids=rep_ids or ())
    first = first_day or clock.today(settings().zone)
    found = offers.times(session, asked, reps, first, days)
    return Times(service_s=asked.service_s, days=[TimesRead.of(one) for one in found])


@router.post("", status_code=201)
def promise_time(account_id: UUID, body: Promise, scope: WritePlans, session: Db) -> VisitRead:
    """Promise a time: it becomes a fixed appointment in the rep's calendar."""
    asked = offers.asked_for(session, scope, account_id, body.service_s)
    return VisitRead.of(offers.promise(session, scope, asked, body.rep_id, body.starts_at, body.objective))
