"""The rules of calls, meetings and tasks: planning, changing, doing them, and what comes next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.activities.agenda import editing, recurrence, values
from server.activities.agenda.models import Activity, Kind, State
from server.auth.models import User
from server.demands import service as demands
from server.demands.models import DemandOrigin
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.ids import uuid7
from server.kit.settings import settings
from server.records.service import Actor
from server.webhooks import service as webhooks

LONGEST = timedelta(days=62)
TASK_PRIZE_S = 3600
"""What a task with a place is worth to the planner: less than a visit that is due."""


class NotThisRepeat(Conflict):
    """The series has no such repeat."""

    code: ClassVar[str] = "not_this_repeat"


@dataclass(frozen=True)
class NewActivity:
    """What somebody plans or has done."""

    kind: Kind
    owner_id: UUID
    values: Mapping[str, Any]
    """Editable fields by name; see `values.FIELDS`."""
    own: Mapping[str, Any] = field(default_factory=dict)
    """Columns that only rooms write: a mail's ids, a foreign calendar's uid, what it follows."""
    id: UUID | None = None
    """Made by the caller; the same id twice is the same activity."""


def add(session: Session, new: NewActivity) -> Activity:
    """Take one call, meeting, task or mail down; see `add_all`."""
    return add_all(session, [new])[0]


def add_all(session: Session, wanted: Sequence[NewActivity]) -> list[Activity]:
    """Take activities down, all or none; one whose id is there already stays as it is.

    Refuses an account, site or person that does not exist, a site of another account, an end before its start, and
    fields that the kind does not have.
    """
    known = _known(session, wanted)
    fresh, made = [], []
    for new in wanted:
        if new.id in known:
            made.append(known[new.id])
            continue
        given = {name: values.cleaned(name, value) for name, value in new.values.items()}
        row = Activity(
            id=new.id or uuid7(), kind=new.kind.value, owner_id=new.owner_id, state=State.OPEN.value, is_all_day=False,
            exdates=[], participant_ids=[], recipients=[], created_at=clock.now(),
        )  # fmt: skip
        for name, value in {"zone": zone_of(session, new.owner_id), **given, **new.own}.items():
            setattr(row, name, value)
        settle(session, row)
        fresh.append(row)
        made.append(row)
    session.add_all(fresh)
    session.flush()
    for row in fresh:
        follow_up(session, row)
    return made


def _known(session: Session, wanted: Sequence[NewActivity]) -> dict[UUID | None, Activity]:
    ids = [new.id for new in wanted if new.id is not None]
    return {row.id: row for row in session.scalars(select(Activity).where(Activity.id.in_(ids)))} if ids else {}


def zone_of(session: Session, user_id: UUID) -> str:
    """The time zone of a person's days."""
    user = session.get(User, user_id)
    return (user.zone if user else None) or settings().zone


def settle(session: Session, row: Activity) -> None:
    """Bring what follows from other fields up to date, and refuse what does not fit together."""
    if not row.subject:
        raise Invalid("The subject is empty.", help="Say in a few words what it is about.", field="subject")
    _check_times(row)  # first, because the others ask the database, which takes no half-set times
    _check_references(session, row)
    row.at = placed_at(row)
    lasts = row.ends_at - row.starts_at if row.starts_at and row.ends_at else timedelta()
    row.repeats_until = None
    if row.rrule and row.starts_at:
        row.repeats_until = recurrence.last_end(row.rrule, row.starts_at, row.zone, lasts)
    if row.state == State.DONE:
        row.done_at = row.done_at or clock.now()
    else:
        row.done_at = None


def placed_at(row: Activity) -> datetime:
    """Where it stands in calendar and timeline."""
    if row.starts_at is not None:
        return row.starts_at
    if row.due_on is not None:
        return datetime.combine(row.due_on, time(), ZoneInfo(row.zone)).astimezone(UTC)
    return row.done_at or row.created_at or clock.now()


def _check_references(session: Session, row: Activity) -> None:
    if session.get(User, row.owner_id) is None:
        raise NotFound("There is no such person.", field="owner_id")
    if row.participant_ids:
        found = set(session.scalars(select(User.id).where(User.id.in_(row.participant_ids))))
        if found != set(row.participant_ids):
            raise NotFound("Some of the people who come along do not exist.", field="participant_ids")
    if row.account_id is None:
        if row.site_id is not None:
            raise Invalid("A site belongs to an account.", help="Name the account too.", field="account_id")
        return
    account = session.get(Account, accounts.surviving(session, row.account_id))
    was_told = "account_deleted" in (row.flags or ())  # a phone took it down before it heard of that
    if account is None or (account.deleted_at is not None and not was_told):
        raise NotFound("There is no such account.", field="account_id")
    row.account_id = account.id
    site = session.get(Site, row.site_id) if row.site_id else None
    if row.site_id is not None and (site is None or accounts.surviving(session, site.account_id) != account.id):
        raise Invalid("The site does not belong to the account.", field="site_id")


def _check_times(row: Activity) -> None:
    if row.starts_at is None and (row.ends_at or row.rrule):
        raise Invalid("It has no start.", help="Say when it begins.", field="starts_at")
    if row.kind == Kind.MEETING and row.starts_at is None:
        raise Invalid("A meeting needs its time.", help="Say when it begins.", field="starts_at")
    if row.starts_at is None:
        return
    if row.ends_at is None and not row.is_all_day:
        usual = timedelta(minutes=15 if row.kind == Kind.CALL else 30)
        row.ends_at = row.starts_at + (timedelta(seconds=row.effort_s) if row.effort_s else usual)
    if row.is_all_day:
        _whole_days(row)
    if row.ends_at is not None and row.ends_at < row.starts_at:
        raise Invalid("It ends before it starts.", help="Swap the two times.", field="ends_at")
    if row.ends_at is not None and row.ends_at - row.starts_at > LONGEST:
        raise Invalid(f"It lasts longer than {LONGEST.days} days.", help="Make several of it.", field="ends_at")
    if row.kind == Kind.MAIL and row.rrule:
        raise Invalid("A mail does not repeat.", field="rrule")


def _whole_days(row: Activity) -> None:
    """From midnight to midnight in its zone, at least one day; what is left out of a series are days too."""
    zone = ZoneInfo(row.zone)
    assert row.starts_at is not None
    first = row.starts_at.astimezone(zone).date()
    last = (row.ends_at or row.starts_at).astimezone(zone)
    past = last.date() if last.time() == time() and last.date() > first else last.date() + timedelta(days=1)
    row.starts_at = datetime.combine(first, time(), zone).astimezone(UTC)
    row.ends_at = datetime.combine(past, time(), zone).astimezone(UTC)
    row.exdates = sorted({recurrence.midnight(at, row.zone) for at in row.exdates})


def change(session: Session, row: Activity, changes: Mapping[str, Any], base_rev: int, actor: Actor) -> Activity:
    """Change fields of an activity. Two people's changes of different fields both count; of the same one the second
    is refused with both values.
    """
    session.refresh(row, with_for_update=True)
    deltas = editing.deltas_since(session, row, changes, base_rev)
    found, refused = editing.merged(session, row, deltas, base_rev, actor)
    if refused is not None:
        raise refused
    if found.get("owner_id", row.owner_id) is None:
        raise Invalid("Somebody must own it.", field="owner_id")
    write(session, row, found)
    return row


def write(session: Session, row: Activity, found: Mapping[str, Any]) -> None:
    """Store checked values and what follows from them; the repeats of a series that moves move with it."""
    was = (row.starts_at, row.zone, row.is_all_day) if row.rrule and row.starts_at and row.series_id is None else None
    left_out = row.exdates
    if row.account_id is not None and found.get("account_id", row.account_id) != row.account_id:
        demands.withdraw(session, DemandOrigin.TASK, demand_key(row))
    for name, value in found.items():
        setattr(row, name, value)
    settle(session, row)
    if was is not None and row.starts_at is not None and was != (row.starts_at, row.zone, row.is_all_day):
        before, after = was[:2], (row.starts_at, row.zone)
        if "exdates" not in found:
            row.exdates = sorted({recurrence.moved(at, before, after, row.rrule) for at in left_out})
        session.flush()
        _move_repeats(session, row, before, after)
    session.flush()
    session.refresh(row)
    follow_up(session, row)


def _move_repeats(session: Session, series: Activity, was: tuple[datetime, str], now: tuple[datetime, str]) -> None:
    """A whole series was moved: what was changed by itself stays with its repeat, and lasts whole days as it does.

    Those in front go first, so that none comes to where the next one still is.
    """
    repeats = select(Activity).where(Activity.series_id == series.id).order_by(Activity.replaces_at)
    rows = session.scalars(repeats.with_for_update()).all()
    places = [recurrence.moved(row.replaces_at, was, now, series.rrule) for row in rows if row.replaces_at]
    if any(one >= other for one, other in pairwise(places)):
        places = [recurrence.moved(row.replaces_at, was, now) for row in rows if row.replaces_at]
    in_turn = list(zip(rows, places, strict=True))
    for row, place in reversed(in_turn) if now[0] > was[0] else in_turn:
        row.replaces_at = place
        session.flush()
        if row.is_all_day != series.is_all_day and row.starts_at and series.starts_at and series.ends_at:
            row.starts_at = recurrence.moved(row.starts_at, was, now)
            row.ends_at = row.starts_at + (series.ends_at - series.starts_at)
            row.is_all_day, row.zone = series.is_all_day, series.zone
            settle(session, row)
    session.flush()


def follow_up(session: Session, row: Activity) -> None:
    """Tell what changed: to the planner, when a task wants to be done at a place, and to other programs."""
    wants_visit = (
        row.kind == Kind.TASK and row.state == State.OPEN and row.deleted_at is None
        and row.site_id is not None and row.starts_at is None and row.account_id is not None
    )  # fmt: skip
    if wants_visit:
        assert row.account_id is not None
        wanted = demands.Wanted(
            account_id=row.account_id,
            origin=DemandOrigin.TASK,
            origin_key=demand_key(row),
            sentence=row.subject[: demands.LONGEST_SENTENCE - 1],
            site_id=row.site_id,
            deadline=row.due_on,
            prize_s=TASK_PRIZE_S * (2 if row.priority == "high" else 1),
            service_s=max(60, min(row.effort_s, 86_400)) if row.effort_s else None,
        )
        demands.ask(session, wanted, asked_by=row.owner_id)
    elif row.kind == Kind.TASK and row.account_id is not None:
        demands.withdraw(session, DemandOrigin.TASK, demand_key(row))
    webhooks.announce(session, "activity", str(row.id), str(row.rev))


def demand_key(row: Activity) -> str:
    """How a task is called where visits are asked for: one demand for each account it was ever at."""
    return f"{row.id}/{row.account_id}"


def finish(session: Session, rows: Sequence[Activity], *, state: State = State.DONE) -> int:
    """Mark activities as done, cancelled or open again; returns how many changed."""
    changed = [row for row in rows if row.state != state]
    for row in changed:
        write(session, row, {"state": state.value})
    return len(changed)


def remove(session: Session, row: Activity) -> None:
    """Delete an activity, a series with its changed repeats; it can be brought back."""
    now = clock.now()
    for one in [row, *session.scalars(select(Activity).where(Activity.series_id == row.id))]:
        one.deleted_at = one.deleted_at or now
    session.flush()
    session.refresh(row)
    follow_up(session, row)


def bring_back(session: Session, row: Activity) -> None:
    """Take a deletion back, of everything that went with it."""
    gone = row.deleted_at
    statement = select(Activity).where(Activity.series_id == row.id, Activity.deleted_at == gone)
    for one in [row, *session.scalars(statement)]:
        one.deleted_at = None
    session.flush()
    session.refresh(row)
    follow_up(session, row)


def leave_out(session: Session, series: Activity, at: datetime) -> None:
    """One repeat does not take place. Refuses a moment at which the series has none."""
    _check_repeat(series, at)
    row = repeat_of(session, series, at)
    if row is not None:
        row.deleted_at = row.deleted_at or clock.now()
    write(session, series, {"exdates": sorted({*series.exdates, at})})


def change_repeat(session: Session, series: Activity, at: datetime, changes: Mapping[str, Any]) -> Activity:
    """Change one repeat of a series by itself. Refuses a moment at which the series has none."""
    _check_repeat(series, at)
    found = {name: values.cleaned(name, value) for name, value in changes.items() if name not in ("rrule", "exdates")}
    row = repeat_of(session, series, at)
    if row is None:
        assert series.starts_at is not None
        lasts = (series.ends_at or series.starts_at) - series.starts_at
        own = {name: getattr(series, name) for name in values.FIELDS if name not in ("rrule", "exdates", "owner_id")}
        own |= {"starts_at": at, "ends_at": at + lasts, **found}
        more = {"series_id": series.id, "replaces_at": at}
        return add(session, NewActivity(Kind(series.kind), series.owner_id, own, more))
    row.deleted_at = None
    write(session, row, found)
    return row


def repeat_of(session: Session, series: Activity, at: datetime) -> Activity | None:
    """The changed repeat that stands for one moment of the series."""
    statement = select(Activity).where(Activity.series_id == series.id, Activity.replaces_at == at)
    return session.scalars(statement).one_or_none()


def _check_repeat(series: Activity, at: datetime) -> None:
    if series.rrule is None or series.starts_at is None:
        raise NotThisRepeat("It does not repeat.", help="Change it as a whole.")
    if not recurrence.within(series.rrule, series.starts_at, series.zone, (at, at + timedelta(seconds=1))):
        raise NotThisRepeat(f"The series has no repeat at {at.isoformat()}.", help="Reload the calendar.")
