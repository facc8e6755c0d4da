"""Balancing: a run is asked for, computed by a job, adjusted by hand, previewed, and applied now or on a later day."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
import shapely
from geoalchemy2.shape import to_shape
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from geo import territories as shapes
from geo.balance.improving import Tell, scenarios
from geo.balance.types import SCENARIOS, Areas, Measures, alike, measured
from server.auth.models import User
from server.balance import saving, small_areas
from server.balance.drafts import Change, area_of, draft_of
from server.balance.editing import first_day
from server.balance.ground import check_ground, ground, over
from server.balance.models import BalanceArea, BalanceRun, BalanceScenario, RunState
from server.balance.moves import Effects, effects
from server.jobs import defer
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import Conflict, Invalid, NotFound
from server.notifications.kinds import About
from server.notifications.service import notify
from server.territories import queries
from server.territories.models import ChangeState, Territory, TerritoryChange

HAND = "hand"
NOT_BALANCED = "Your balance of territories could not be applied on its day: look at the reason."


class Stopped(Exception):
    """Somebody cancelled the run."""


def request(session: Session, territory_ids: Sequence[UUID], *, asked_by: UUID) -> BalanceRun:
    """Ask for a balance of some territories, or of all that are worked. Refuses fewer than two, and regions."""
    from server.balance.jobs import compute

    leaves = {row.id: row for row in queries.leaves(session)}
    ids = list(dict.fromkeys(territory_ids)) or list(leaves)
    rows = [leaves.get(one) for one in ids]
    if any(row is None for row in rows):
        raise NotFound("One of these territories is not there, or others lie below it.", field="territory_ids")
    if len(ids) < 2:
        raise Invalid("Choose at least two territories to balance.", field="territory_ids")
    run = BalanceRun(territory_ids=ids, revs=[row.rev for row in rows if row is not None], asked_by=asked_by)
    session.add(run)
    session.flush()
    defer(session, compute, run_id=str(run.id))
    return run


def run(run_id: UUID) -> None:
    """Compute a run, in steps of a transaction each; whoever cancels it stops it within seconds."""
    with transaction() as session:
        found = session.get(BalanceRun, run_id, with_for_update=True)
        if found is None or found.state not in (RunState.WAITING, RunState.RUNNING):
            return
        found.state, found.stage = RunState.RUNNING, "Cutting the ground into small areas."
        found.progress, found.facts = 0.0, {}
        ids = list(found.territory_ids)
        session.query(BalanceArea).filter_by(run_id=run_id).delete()
        session.query(BalanceScenario).filter_by(run_id=run_id).delete()
    with transaction() as session:
        marks, since, others = ground(session, ids), session.scalar(select(func.clock_timestamp())), over(session, ids)
        by_id = {row.id: row for row in queries.active(session)}
        if any(one not in by_id for one in ids):
            raise NotFound("A territory was taken away meanwhile.", help="Start again with those that are left.")
        cut = small_areas.cut(session, [by_id[one] for one in ids])
        session.add_all(small_areas.stored(run_id, cut))
        facts = {
            "fixed": cut.areas.fixed.tolist(),
            "estimated": cut.travel_is_estimated,
            "now": told(cut.areas, cut.areas.owner),
            "ground": [marks.get(one, "") for one in ids],
            "since": since.isoformat() if since else None,
            "others": {str(one): km2 for one, (_, km2) in others.items()},
        }
        session.execute(update(BalanceRun).where(BalanceRun.id == run_id).values(facts=facts))
    for goal, owner in scenarios(cut.areas, tell=teller(run_id)):
        with transaction() as session:
            session.add(
                BalanceScenario(run_id=run_id, key=goal.key, owners=owner.tolist(), facts=told(cut.areas, owner))
            )
    with transaction() as session:
        end(session, run_id, RunState.DONE)


def teller(run_id: UUID) -> Tell:
    """Writes down how far a run is, in eightieths, and stops when somebody cancelled."""
    last = [-1]

    def tell(share: float) -> None:
        step = int(share * 80)
        if step == last[0]:
            return
        last[0] = step
        with transaction() as session:
            done = 0.1 + 0.9 * share
            number = min(len(SCENARIOS), int(share * (len(SCENARIOS) + 1)))  # the first turn evens out for all of them
            stage = f"Scenario {number} of {len(SCENARIOS)}." if number else "Evening out hours and value."
            alive = session.execute(
                update(BalanceRun)
                .where(BalanceRun.id == run_id, BalanceRun.state == RunState.RUNNING)
                .values(progress=done, stage=stage)
                .returning(BalanceRun.id)
            ).first()
        if alive is None:
            raise Stopped

    return tell


def end(session: Session, run_id: UUID, state: RunState, trouble: str = "") -> None:
    """A run is over, unless it was cancelled before."""
    session.execute(
        update(BalanceRun)
        .where(BalanceRun.id == run_id, BalanceRun.state.in_((RunState.WAITING, RunState.RUNNING)))
        .values(state=state, trouble=trouble, stage="", finished_at=clock.now())
    )


LOST = text(
    """
    select id from balance_run r where state in ('waiting', 'running') and not exists (
        select from procrastinate_jobs j
        where j.task_name = 'balance.compute' and j.status in ('todo', 'doing') and j.args->>'run_id' = r.id::text
    )
    """
)


def lost(session: Session) -> list[UUID]:
    """Runs that no job computes any more, after the last try."""
    return list(session.scalars(LOST))


def cancel(session: Session, run_id: UUID) -> None:
    """Stop a run that waits or is under way. Refuses one that is over."""
    found = known(session, run_id, lock=True)
    if found.state not in (RunState.WAITING, RunState.RUNNING):
        raise Conflict("This balance is over already.")
    end(session, run_id, RunState.CANCELLED)
    session.expire_all()


def told(areas: Areas, owner: NDArray[np.int64]) -> dict[str, Any]:
    """Measures as they are stored and sent."""
    return asdict(measured(areas, owner))


def known(session: Session, run_id: UUID, *, lock: bool = False) -> BalanceRun:
    """A run."""
    found = session.get(BalanceRun, run_id, with_for_update=lock or None)
    if found is None:
        raise NotFound("There is no such balance.")
    return found


def scenario(session: Session, run_id: UUID, key: str) -> BalanceScenario:
    """A scenario of a run, locked for a change. Refuses while the run may still begin again."""
    if known(session, run_id).state != RunState.DONE:
        raise Conflict("This balance is not done.", help="Wait until it is, or balance again.")
    found = session.get(BalanceScenario, (run_id, key), with_for_update=True)
    if found is None:
        raise NotFound("There is no such scenario.")
    return found


def fail(session: Session, one: BalanceScenario, trouble: str) -> None:
    """A scenario that could not be applied on its day says why; whoever set the day is told."""
    one.apply_on, one.trouble = None, trouble
    run = known(session, one.run_id)
    setter = run.facts.get("set_by") or run.asked_by
    if setter is not None:
        about, link = About("balance_run", run.id), f"/territories/balance/{run.id}"
        notify(session, [UUID(str(setter))], "territory", NOT_BALANCED, link, about)


def areas_of(session: Session, run_id: UUID) -> list[BalanceArea]:
    """The small areas of a run by number."""
    return list(session.scalars(select(BalanceArea).where(BalanceArea.run_id == run_id).order_by(BalanceArea.number)))


def scenarios_of(session: Session, run_id: UUID) -> list[BalanceScenario]:
    """The scenarios of a run, those of the optimiser first."""
    order = {goal.key: number for number, goal in enumerate(SCENARIOS)}
    found = session.scalars(select(BalanceScenario).where(BalanceScenario.run_id == run_id))
    return sorted(found, key=lambda one: order.get(one.key, len(order)))


def likenesses(run: BalanceRun, found: Sequence[BalanceScenario]) -> dict[str, str]:
    """By key of each scenario that comes to nearly the same as one before it, or as it is now: the first of those."""
    seen = {"now": run.facts["now"]} if "now" in run.facts else {}
    like: dict[str, str] = {}
    for one in found:
        mine = Measures(**one.facts)
        first = next((key for key, facts in seen.items() if alike(mine, Measures(**facts))), None)
        like |= {one.key: first} if first else {}
        seen[one.key] = one.facts
    return like


def adjust(session: Session, run_id: UUID, key: str, numbers: Sequence[int], to: UUID) -> BalanceScenario:
    """Give small areas to a territory by hand; the result stands beside the scenario that it began with."""
    found, base = known(session, run_id), scenario(session, run_id, key)
    rows = areas_of(session, run_id)
    if to not in found.territory_ids:
        raise NotFound("This territory is not part of the balance.", field="to_id")
    if not numbers or not all(0 <= one < len(rows) for one in numbers):
        raise Invalid("Choose small areas of this balance.", field="areas")
    check_not_applied(session, base)
    owner = np.array(base.owners, dtype=np.int64)
    owner[list(numbers)] = found.territory_ids.index(to)
    facts = told(small_areas.read(rows, found.facts["fixed"]), owner)
    hand = session.get(BalanceScenario, (run_id, HAND)) or BalanceScenario(run_id=run_id, key=HAND)
    check_not_applied(session, hand)
    hand.owners, hand.facts, hand.change_id = owner.tolist(), facts, None
    session.add(hand)
    session.flush()
    return hand


def check_not_applied(session: Session, chosen: BalanceScenario) -> None:
    """Refuse a scenario that is applied; one that was put back may be applied again."""
    change = session.get(TerritoryChange, chosen.change_id) if chosen.change_id else None
    if change is not None and change.state == ChangeState.APPLIED:
        raise Conflict("This scenario is applied already.")


def change_of(session: Session, run_id: UUID, key: str) -> Change:
    """What a scenario does with the territories. Refuses an older state, and to leave one without ground."""
    found, chosen = known(session, run_id), scenario(session, run_id, key)
    notes = check_ground(session, found)
    rows = areas_of(session, run_id)
    by_id = {row.id: row for row in queries.active(session)}
    moved = [(row, new) for row, new in zip(rows, chosen.owners, strict=True) if row.owner != new]
    touched = sorted({number for row, new in moved for number in (row.owner, new)})
    drafts = []
    for number in touched:
        territory = by_id[found.territory_ids[number]]
        given = [to_shape(row.area) for row, _ in moved if row.owner == number]
        taken = [to_shape(row.area) for row, new in moved if new == number]
        area = redrawn(area_of(territory), given, taken)
        if area.is_empty:
            raise Invalid(f"Nothing would be left of “{territory.name}”.", help="Give it an area first.")
        drafts.append(draft_of(territory, area))
    return Change("balance", tuple(drafts), notes)


def something(change: Change) -> Change:
    """A change that changes something. Refuses one that does not."""
    if not change.drafts:
        raise Invalid("This scenario moves nothing.", help="Keep the territories as they are.")
    return change


def preview(session: Session, run_id: UUID, key: str) -> tuple[Change, Effects]:
    """What a scenario would do and move; nothing is changed. Refuses what `change_of` refuses."""
    change = change_of(session, run_id, key)
    return change, effects(session, change.drafts)


def redrawn(area: MultiPolygon, given: Sequence[Any], taken: Sequence[Any]) -> MultiPolygon:
    """An area without what it gives away and with what it takes."""
    left = shapes.without(area, shapely.union_all(list(given))) if given else area
    return shapes.together([left, *taken]) if taken else left


def apply(session: Session, run_id: UUID, key: str, *, why: str = "") -> TerritoryChange:
    """Apply a scenario now. Refuses it when a territory was changed since it was computed, by name."""
    saving.lock(session)
    chosen = scenario(session, run_id, key)
    check_not_applied(session, chosen)
    change = something(change_of(session, run_id, key))
    made = saving.save(session, change, why=why)
    chosen.change_id, chosen.apply_on, chosen.trouble = made.id, None, ""
    session.flush()
    return made


def apply_from(session: Session, run_id: UUID, key: str, day: date, *, today: date, by: UUID) -> BalanceScenario:
    """Apply a scenario on the morning of a day to come; another one of the run that waits is called off.

    Refuses one computed on an older state at once; on the day it is recorded as done by whoever set the day.
    """
    found, chosen = known(session, run_id), scenario(session, run_id, key)
    check_not_applied(session, chosen)
    change = something(change_of(session, run_id, key))
    if day <= today:
        raise Invalid("Choose a day to come, or apply it now.", field="apply_on")
    first_day(day, field="apply_on")
    session.execute(update(BalanceScenario).where(BalanceScenario.run_id == run_id).values(apply_on=None))
    chosen.apply_on, chosen.trouble, chosen.change_id = day, "", None
    found.facts = found.facts | {"set_by": str(by)}
    session.flush()
    saving.tell_of(session, change, About("balance_run", run_id))
    return chosen


def call_off(session: Session, run_id: UUID, key: str) -> None:
    """A scenario that waits for its day is not applied."""
    scenario(session, run_id, key).apply_on = None
    session.flush()


@dataclass(frozen=True)
class Waiting:
    """A scenario that waits for its day."""

    run_id: UUID
    key: str
    day: date
    territories: tuple[str, ...]
    """Their names."""
    by: str | None
    """Who set the day."""


def waiting(session: Session) -> list[Waiting]:
    """The scenarios that wait for their day, the next first."""
    statement = (
        select(BalanceRun, BalanceScenario)
        .join(BalanceScenario, BalanceScenario.run_id == BalanceRun.id)
        .where(BalanceScenario.apply_on.is_not(None), BalanceScenario.change_id.is_(None))
        .order_by(BalanceScenario.apply_on, BalanceRun.id)
    )
    found = []
    for run, one in session.execute(statement).tuples():
        setter = session.get(User, UUID(run.facts["set_by"])) if run.facts.get("set_by") else None
        names = tuple(sorted(names_of(session, run).values()))
        if one.apply_on is not None:
            found.append(Waiting(run.id, one.key, one.apply_on, names, setter.name if setter else None))
    return found


def due(session: Session, today: date) -> list[tuple[UUID, str]]:
    """Scenarios whose day has come."""
    statement = select(BalanceScenario.run_id, BalanceScenario.key).where(
        BalanceScenario.apply_on <= today, BalanceScenario.change_id.is_(None)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def names_of(session: Session, found: BalanceRun) -> Mapping[UUID, str]:
    """The names of a run's territories."""
    rows = session.scalars(select(Territory).where(Territory.id.in_(found.territory_ids)))
    return {row.id: row.name for row in rows}
