"""The rules of the night: asking for it, planning its parts, putting them into the calendar, writing their files."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from routing.export.tour import Span
from routing.solve import DEFAULT_ENGINE, ENGINES
from server.auth.access import system_scope
from server.auth.models import Role, User
from server.closures.queries import days_off
from server.jobs import defer
from server.jobs.service import Job
from server.kit import clock
from server.kit.errors import Conflict, Invalid, Unavailable
from server.kit.locks import one_at_a_time
from server.kit.settings import settings
from server.plans import service as plans
from server.plans.build import shifts_of
from server.plans.exporting import jobs as exports
from server.plans.models import Plan, PlanState, Route, Stop
from server.plans.night.splitting import split
from server.plans.night_models import NightPart, NightRun, PartState
from server.plans.rules import rules

SEED = 1
MOST_TRIES = 8
"""A part that was begun so often stops whoever takes it on."""
LOST_AFTER = timedelta(minutes=10)
UNDER_WAY = (PartState.QUEUED, PartState.RUNNING)


class NightUnderWay(Conflict):
    """The days are being planned already."""

    code: ClassVar[str] = "night_under_way"


def ask(
    session: Session,
    job: Job,
    *,
    first_day: date,
    days: int | None = None,
    steps: int | None = None,
    engine: str = DEFAULT_ENGINE,
    seed: int = SEED,
    asked_by: UUID | None = None,
) -> NightRun:
    """Plan the whole company: one job for each territory. Refuses days on which nobody works or that are under way."""
    days = days or rules(session).night_days
    if not 1 <= days <= 7:
        raise Invalid(f"A night plans 1 to 7 days, not {days}.", field="days")
    if engine not in ENGINES:
        raise Invalid(f"There is no engine “{engine}”.", help=f"Take one of: {', '.join(sorted(ENGINES))}.")
    if first_day < clock.today(settings().zone):
        raise Invalid(f"{first_day} is over.", help="Plan from today on.", field="first_day")
    if first_day > clock.today(settings().zone) + timedelta(days=plans.FARTHEST_DAYS):
        raise Invalid(f"{first_day} is too far away.", help="Plan within a year from today.", field="first_day")
    last_day = first_day + timedelta(days=days - 1)
    one_at_a_time(session, "night")  # two people ask at the same moment
    _check_free(session, first_day, last_day)
    reps = able_reps(session, first_day, days)
    if not reps:
        raise Invalid(
            f"Nobody works from {first_day} to {last_day}.",
            help="Reps need a place to start from and working days, and must not all be absent.",
            field="first_day",
        )
    run = NightRun(
        first_day=first_day,
        days=days,
        engine=engine,
        seed=seed,
        steps=steps or rules(session).night_steps,
        asked_by=asked_by,
    )
    session.add(run)
    session.flush()
    everybody = {rep.id for rep in reps}
    for position, share in enumerate(split(session, reps, first_day)):
        part = NightPart(
            run_id=run.id,
            position=position,
            name=share.name,
            rep_ids=list(share.rep_ids),
            other_rep_ids=sorted(everybody - set(share.rep_ids)),
        )
        session.add(part)
        session.flush()
        defer(session, job, key=f"night:{part.id}", lock=f"night:{part.id}", part_id=str(part.id))
    return run


def again(session: Session, job: Job, part: NightPart) -> bool:
    """Plan a part that failed once more; returns whether there is anything to do."""
    if part.state != PartState.FAILED:
        return False
    part.state, part.error, part.error_help, part.tries = PartState.QUEUED, None, None, 0
    plan = session.get(Plan, part.plan_id) if part.plan_id else None
    if plan is not None and plan.deleted_at is not None:
        part.plan_id = None
    session.flush()
    return defer(session, job, key=f"night:{part.id}", lock=f"night:{part.id}", part_id=str(part.id))


def pick_up(session: Session, job: Job) -> int:
    """Ask again for parts whose job was lost, with its database or after too many kills; returns how many.

    One that is being planned is not planned twice: its jobs run one after the other, and the second finds it done.
    """
    left = session.scalars(
        select(NightPart)
        .join(NightRun)
        .where(NightPart.state.in_(UNDER_WAY), NightRun.created_at < clock.now() - LOST_AFTER)
        .with_for_update(of=NightPart, skip_locked=True)
    )
    asked = 0
    for part in left:
        if part.tries >= MOST_TRIES:
            help = "Look at the workers' log, then plan it again."
            fail(session, part.id, f"Workers were stopped in the middle of it {part.tries} times.", help)
        else:
            key = f"night:{part.id}"
            asked += defer(session, job, key=key, lock=key, part_id=str(part.id))
    return asked


def _check_free(session: Session, first: date, last: date) -> None:
    running = session.scalars(
        select(NightRun).join(NightPart).where(NightPart.state.in_(UNDER_WAY), NightRun.first_day <= last)
    )
    if any(run.first_day + timedelta(days=run.days - 1) >= first for run in running):
        raise NightUnderWay("These days are being planned already.", help="Wait until that night is over.")


def able_reps(session: Session, first_day: date, days: int) -> list[User]:
    """The reps who work on some of the days and can be planned, by name."""
    dates = [first_day + timedelta(days=k) for k in range(days)]
    people = select(User).where(User.role == Role.REP, User.active, User.deleted_at.is_(None))
    found = list(session.scalars(people.order_by(User.name, User.id)))
    off = days_off(session, [rep.id for rep in found], dates[0], dates[-1])
    able = [rep for rep in found if rep.rep_profile is not None and rep.rep_profile.home is not None]
    return [rep for rep in able if shifts_of(rep, dates, settings().zone, off)]


def begin(session: Session, part_id: UUID) -> NightPart | None:
    """Take a part on: it gets its plan, once. None when it is done."""
    part = session.get(NightPart, part_id, with_for_update=True)
    if part is None or part.state == PartState.DONE:
        return None
    run = session.get_one(NightRun, part.run_id)
    part.state, part.started_at, part.tries = PartState.RUNNING, clock.now(), part.tries + 1
    part.error = part.error_help = None
    if part.plan_id is None:
        plan = Plan(
            rep_ids=part.rep_ids,
            other_rep_ids=part.other_rep_ids,
            first_day=run.first_day,
            days=run.days,
            engine=run.engine,
            seed=run.seed,
            steps=run.steps,
            requested_by=run.asked_by or _first_admin(session),
            state=PlanState.QUEUED,
        )
        session.add(plan)
        session.flush()
        part.plan_id = plan.id
    session.flush()
    return part


def _first_admin(session: Session) -> UUID:
    admins = select(User.id).where(User.role == Role.ADMIN, User.active, User.deleted_at.is_(None))
    found = session.scalar(admins.order_by(User.created_at, User.id).limit(1))
    if found is None:
        raise Unavailable("There is no admin in whose name the night could plan.", help="Add one: waymark user add.")
    return found


def publish(session: Session, part_id: UUID) -> None:
    """Put a part's plan into the calendar. One that came out as the published one is dropped: nothing changes."""
    part = session.get_one(NightPart, part_id, with_for_update=True)
    plan = session.get(Plan, part.plan_id) if part.plan_id else None
    if plan is None or plan.deleted_at is not None:
        raise Conflict("The part's plan was deleted.", help="Plan the days again.")
    if plan.state == PlanState.PUBLISHED:
        return
    standing = _published_content(session, plan)
    if standing and standing == _content(session, select(Route.id).where(Route.plan_id == plan.id)):
        plan.deleted_at = clock.now()
        part.is_unchanged = True
    else:
        plans.publish(session, system_scope(), plan.id)
    session.flush()


type Content = list[tuple[object, ...]]


def _content(session: Session, routes: object) -> Content:
    """What reps see of some routes: who, when, where, in which order."""
    rows = session.execute(
        select(Route.rep_id, Route.day, Route.leaves_at, Route.returns_at, Route.break_starts_at, Stop.position)
        .add_columns(Stop.site_id, Stop.starts_at, Stop.ends_at, Stop.drive_s, Stop.why, Stop.demand_ids)
        .join(Stop, Stop.route_id == Route.id)
        .where(Route.id.in_(routes))  # type: ignore[arg-type]
        .order_by(Route.rep_id, Route.day, Stop.position)
    )
    return [(*row[:-1], tuple(row[-1])) for row in rows]


def _published_content(session: Session, plan: Plan) -> Content:
    last_day = plan.first_day + timedelta(days=plan.days - 1)
    standing = select(Route.id).where(
        Route.rep_id.in_(plan.rep_ids),
        Route.day.between(plan.first_day, last_day),
        Route.published_at.is_not(None),
        Route.deleted_at.is_(None),
    )
    return _content(session, standing)


def write_files(session: Session, run: NightRun, rep_id: UUID) -> dict[str, str]:
    """Write the files of one rep's days, and send them to whoever has not got them; gives their hash by login."""
    written = exports.write_and_send(session, Span.of(run.first_day, run.days), rep_id)
    return {written.login: written.revision} if written else {}


def finish(session: Session, part_id: UUID, files: dict[str, str], phases: dict[str, float]) -> None:
    """Write down that a part is done, with its files and what they took."""
    part = session.get_one(NightPart, part_id, with_for_update=True)
    part.state, part.finished_at = PartState.DONE, clock.now()
    part.files, part.phases = files, phases
    session.flush()


def fail(session: Session, part_id: UUID, message: str, help: str | None) -> None:
    """Write down why a part failed, for whoever looks in the morning."""
    part = session.get(NightPart, part_id, with_for_update=True)
    if part is not None:
        part.state, part.finished_at, part.error, part.error_help = PartState.FAILED, clock.now(), message, help
        session.flush()


def night_to_plan(session: Session) -> date | None:
    """The first day of the night that is due by the company's rules; None when none is, or it was asked for already."""
    wanted = rules(session)
    now = clock.now().astimezone(ZoneInfo(settings().zone))
    if not wanted.night_is_on or now.weekday() not in wanted.night_weekdays or now.hour < wanted.night_hour:
        return None
    first_day = next_working_day(session, now.date())
    if first_day is None:
        return None
    since = now.replace(hour=0, minute=0, second=0, microsecond=0)
    asked = select(NightRun.id).where(NightRun.first_day == first_day, NightRun.created_at >= since)
    return None if session.scalar(asked.limit(1)) else first_day


def next_working_day(session: Session, day: date, within: int = 14) -> date | None:
    """The first day after this one on which somebody works."""
    days = (day + timedelta(days=offset) for offset in range(1, within + 1))
    return next((one for one in days if able_reps(session, one, 1)), None)


def parts_of(session: Session, run_id: UUID) -> Sequence[NightPart]:
    """The parts of a night in their order."""
    return session.scalars(select(NightPart).where(NightPart.run_id == run_id).order_by(NightPart.position)).all()
