"""Facts about visits and what follows from them: pure rules, the same for one report and for a hundred."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from geo.types import Fix, LonLat
from server.activities.checkin import Verdict, verify
from server.activities.models import Verification, Visit, VisitEvent, VisitState
from server.kit.errors import Conflict, Invalid

PROGRESS = (VisitState.PLANNED, VisitState.EN_ROUTE, VisitState.CHECKED_IN, VisitState.DONE)
"""A visit goes this way; an event that arrives late never takes it back."""

FINAL = (VisitState.DONE, VisitState.MISSED, VisitState.CANCELLED)

FIRST_YEAR, LAST_YEAR = 1970, 2199
"""A phone that lost its clock says 1970."""


class VisitExists(Conflict):
    """An event with this id says something else already."""

    code = "event_id_reuse"


@dataclass(frozen=True)
class VisitReport:
    """What somebody reports of a visit: one fact."""

    event_id: UUID
    """Made where it happened; the same id twice is the same fact."""
    visit_id: UUID
    """A planned visit, or a new id for one that nobody planned."""
    account_id: UUID
    rep_id: UUID
    state: VisitState
    day: date
    zone: str
    occurred_at: datetime
    site_id: UUID | None = None
    outcome: str | None = None
    """An `Outcome`, or one of the company's own."""
    note: str | None = None
    fix: Fix | None = None
    saw_pin: bool = True
    """False where the phone knew no pin of the site: one that came later confirms, it accuses nobody."""
    flags: tuple[str, ...] = field(default_factory=tuple)
    """Odd things that the caller knows, e.g. `late_scope`."""
    visit_type_id: UUID | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    """To the form of the visit type, by the keys of its questions."""
    form_version_id: UUID | None = None
    """The form as it was shown; None: as it stands now."""
    signature: Mapping[str, Any] | None = None
    """Who signed, and the strokes of the pen; see `VisitEvent.signature`."""

    def with_form(self, type_id: UUID, version_id: UUID | None, answers: Mapping[str, Any]) -> "VisitReport":
        """The same report with answers to a form."""
        return replace(self, visit_type_id=type_id, form_version_id=version_id, answers=answers)

    def without_form(self) -> "VisitReport":
        """The same report without answers."""
        return replace(self, visit_type_id=None, form_version_id=None, answers={})

    def with_note(self, note: str | None, *, flag: str) -> "VisitReport":
        """The same report with another note and one more oddity."""
        return replace(self, note=note, flags=(*self.flags, flag))


def check_days(*moments: date | None) -> None:
    """Refuse days that no calendar holds: one of them would make every list that shows it fail."""
    for moment in moments:
        if moment is not None and not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise Invalid(
                f"A visit cannot be in the year {moment.year}.",
                help=f"Years go from {FIRST_YEAR} to {LAST_YEAR}; check the clock of the phone.",
                field="day",
            )


def checked_zone(zone: str) -> str:
    """The time zone; refuses names that IANA does not know."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise Invalid(f"There is no time zone “{zone}”.", help="Use a name such as Europe/Zurich.") from error
    return zone


def judge(visit: Visit, report: VisitReport, pin: LonLat | None, uncertainty_m: float | None) -> Verdict | None:
    """Whether the rep was there, at the pin of the visit's site; only check-ins and finished visits are judged.

    Of the end of a visit nobody is told how far off it was, nor asked why: it confirms that the rep was there, or says
    nothing.
    """
    if report.state not in (VisitState.CHECKED_IN, VisitState.DONE):
        return None
    if report.state is VisitState.DONE and report.fix is None and visit.verification:
        return None
    verdict = verify(report.fix, pin, uncertainty_m)
    if verdict.verification is Verification.VERIFIED:
        return verdict
    if report.state is VisitState.DONE or (verdict.verification is Verification.OUT_OF_RANGE and not report.saw_pin):
        return verify(report.fix, None, None)
    return verdict


def oddities(visit: Visit, report: VisitReport) -> Iterable[str]:
    """What is strange about a report, for a manager to look at."""
    if visit.deleted_at is not None:
        yield "planned_anew"
    if visit.rep_id != report.rep_id:
        yield "other_rep"
    if visit.account_id != report.account_id:
        yield "other_account"
    if report.state is VisitState.DONE and visit.state == VisitState.DONE:
        yield "second_done"
    elif report.state is VisitState.DONE and visit.state in (VisitState.MISSED, VisitState.CANCELLED):
        yield f"done_after_{visit.state}"
    elif report.state in (VisitState.MISSED, VisitState.CANCELLED) and visit.state == VisitState.DONE:
        yield f"{report.state}_after_done"
    if report.day != visit.day:
        yield "other_day"


def counts_as_check_in(visit: Visit, event: VisitEvent) -> bool:
    """Whether the place of an event is that of the visit: the first that there is; a repeated check-in where the one
    before was poor. Where a rep was when the visit was done stays with that event, unless it confirms what the
    check-in could not."""
    if visit.verification is None:
        return True
    if visit.verification == Verification.UNVERIFIABLE:
        return event.state == VisitState.CHECKED_IN or event.verification == Verification.VERIFIED
    is_repeated = event.state == VisitState.CHECKED_IN and event.checkin is not None
    return is_repeated and visit.state not in FINAL and visit.verification != Verification.VERIFIED


def apply_event(visit: Visit, event: VisitEvent) -> None:
    """Move the visit on. The first finished report counts; later ones are kept as facts and flagged. What a plan has
    withdrawn meanwhile stands again: it happened."""
    visit.deleted_at = None
    visit.flags = sorted({*visit.flags, *event.flags})
    if event.verification and counts_as_check_in(visit, event):
        visit.checkin, visit.accuracy_m = event.checkin, event.accuracy_m
        visit.distance_m, visit.verification = event.distance_m, event.verification
    if event.state == VisitState.CHECKED_IN and visit.checked_in_at is None:
        visit.checked_in_at = event.occurred_at
    if visit.state == VisitState.DONE:
        return
    if event.state in FINAL:
        visit.outcome, visit.note = event.outcome, event.note
        visit.state = event.state
        visit.done_at = event.occurred_at if event.state == VisitState.DONE else None
    elif visit.state in PROGRESS and PROGRESS.index(VisitState(event.state)) > PROGRESS.index(VisitState(visit.state)):
        visit.state = event.state
