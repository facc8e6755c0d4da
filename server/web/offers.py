"""Finding a time for a customer, and promising it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from sqlalchemy.orm import Session

from routing.offers import Slot
from server.accounts.routes import read
from server.auth.access import Scope, requires
from server.auth.models import User
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import Invalid, WaymarkError
from server.kit.settings import settings
from server.plans import offers
from server.plans.offers import RepTimes
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/accounts/{account_id}/times", include_in_schema=False)

WritePlans = Annotated[Scope, requires("plans:write")]
SHOWN_DAYS = 20
SHOWN_SLOTS = 5

REASONS = {
    "not_working": "Nobody works",
    "not_allowed": "Not visited on this day",
    "closed": "The customer is closed",
    "unreachable": "No road leads there",
    "limit": "The day's stops or driving are used up",
    "full": "Every gap is full",
}
"""Why a day has no time, in words."""


@dataclass(frozen=True)
class Choice:
    """A time on the page."""

    times: RepTimes
    slot: Slot

    @property
    def starts_at(self) -> datetime:
        """The time that is offered."""
        return self.times.moment(self.slot.starts_s)


@dataclass(frozen=True)
class DayChoices:
    """One day of the page."""

    day: date
    choices: list[Choice]
    reason: str
    """When there is no time."""
    why: str
    """What is special about the day, in words."""

    @property
    def is_planned(self) -> bool:
        """Whether any of these times lies on a planned day."""
        return any(choice.times.is_planned for choice in self.choices)


def by_day(found: Iterable[RepTimes]) -> list[DayChoices]:
    """The best times of every day over all reps; a day without one names what stands in the way of the most."""
    days: dict[date, list[RepTimes]] = {}
    for one in found:
        days.setdefault(one.day, []).append(one)
    return [DayChoices(day, _best(some), *_reason(some)) for day, some in days.items()]


def _best(some: Sequence[RepTimes]) -> list[Choice]:
    choices: dict[tuple[UUID, int], Choice] = {}
    for one in some:
        for slot in one.slots:  # the least detour first: the same time in a second gap is no other choice
            choices.setdefault((one.rep.id, slot.starts_s), Choice(one, slot))
    best = sorted(choices.values(), key=lambda c: (c.slot.detour_s, c.slot.starts_s))[:SHOWN_SLOTS]
    return sorted(best, key=lambda c: c.slot.starts_s)


def _reason(some: Sequence[RepTimes]) -> tuple[str, str]:
    """What stands in the way of the most, and what is special about that day."""
    shut = [one for one in some if one.shut is not None]
    working = [one for one in shut if one.shut != offers.NOT_WORKING] or shut
    if not working:
        return "", ""
    codes = [one.shut for one in working]
    first = max(working, key=lambda one: codes.count(one.shut))
    return REASONS[first.shut or ""], first.why if first.shut in (offers.NOT_WORKING, "closed") else ""


@router.get("")
def show(
    request: Request,
    account_id: UUID,
    scope: WritePlans,
    session: Db,
    first_day: date | None = None,
    minutes: Annotated[int | None, Query(ge=5, le=720)] = None,
    team: bool = False,
) -> Response:
    """The times of the next weeks, coloured by detour."""
    return times_page(request, scope, session, account_id, first_day, minutes, team=team)


def times_page(
    request: Request,
    scope: Scope,
    session: Session,
    account_id: UUID,
    first_day: date | None = None,
    minutes: int | None = None,
    *,
    team: bool = False,
    error: WaymarkError | None = None,
) -> Response:
    """The page, with what was refused."""
    account = read(session, scope, account_id)
    days: list[DayChoices] = []
    reps: Sequence[User] = []
    service_s = (minutes or 30) * 60
    try:
        asked = offers.asked_for(session, scope, account_id, minutes * 60 if minutes else None)
        service_s = asked.service_s
        reps = offers.reps_for(session, scope, asked.account, team=team)
        start = first_day or clock.today(settings().zone)
        days = by_day(
            offers.times(session, asked, offers.reps_for(session, scope, asked.account, team=team), start, SHOWN_DAYS)
        )
    except WaymarkError as refused:
        error = error or refused
    return render(
        request,
        "plans/times.html",
        scope,
        status=int(error.status) if error else 200,
        account=account,
        days=days,
        reps=reps,
        team=team,
        minutes=service_s // 60,
        first_day=first_day,
        error=error,
    )


@router.post("")
def choose(
    request: Request,
    account_id: UUID,
    scope: WritePlans,
    session: Db,
    slot: Annotated[str, Form()],
    minutes: Annotated[int, Form(ge=5, le=720)],
    objective: Annotated[str, Form(max_length=2000)] = "",
    team: Annotated[bool, Form()] = False,
) -> Response:
    """Promise the chosen time: it becomes a fixed appointment."""
    try:
        with attempt(session):
            try:
                rep, at = slot.split("|")
                chosen, starts_at = UUID(rep), datetime.fromisoformat(at)
            except ValueError as wrong:
                raise Invalid("This is none of the times.", help="Choose one of the list.") from wrong
            asked = offers.asked_for(session, scope, account_id, minutes * 60)
            offers.promise(session, scope, asked, chosen, starts_at, objective.strip() or None)
    except WaymarkError as error:
        return times_page(request, scope, session, account_id, None, minutes, team=team, error=error)
    return go(f"/accounts/{account_id}")
