"""The company's night: every rep planned once, twice the same files, a killed worker's part done once."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from shapely.geometry import MultiPolygon, box
from sqlalchemy import Engine, func, select, text
from typer.testing import CliRunner

from routing.export.tour import Span
from server import worker
from server.activities.models import Visit
from server.auth.access import system_scope
from server.auth.models import Role, User
from server.auth.service import create_user, set_working_day
from server.balance import service as balance
from server.closures import service as closures
from server.closures.models import AbsenceKind
from server.jobs import defer
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import Invalid
from server.kit.settings import settings
from server.plans import service as plans
from server.plans.exporting import targets
from server.plans.exporting.target_models import ExportDelivery
from server.plans.exporting.target_schemas import TargetWrite
from server.plans.models import Plan, PlanState, Route, Stop
from server.plans.night import service
from server.plans.night.commands import plans as command
from server.plans.night.jobs import plan_part, watch
from server.plans.night.service import NightUnderWay
from server.plans.night.splitting import split
from server.plans.night_models import NightPart, NightRun, PartState, PlanningRules
from tests.server.plans.conftest import HOME, add_account, next_monday

STOPPED = """
import os, signal
from server.plans import computing
from server.plans.night import service
from server import worker
where = {{"work_out": computing, "publish": service, "write_files": service}}["{name}"]
def stop(*_, **__):
    print("working", flush=True)
    signal.pause()
setattr(where, "{name}", stop)
worker.run(wait=False)
"""


def company(session: Any) -> dict[str, User]:
    """Two territories: Rita works the west, Otto the east, Paul both; an admin."""
    people = {
        login: create_user(session, login=login, name=login.title(), role=role)
        for login, role in [("ada", Role.ADMIN), ("rita", Role.REP), ("otto", Role.REP), ("paul", Role.REP)]
    }
    for login in ("rita", "otto", "paul"):
        set_working_day(session, people[login].id, {"home": HOME, "home_name": "Vaduz"})
        session.refresh(people[login])
    for name, west, members in [("West", 9.4, ("rita", "paul")), ("East", 9.55, ("otto", "paul"))]:
        area = MultiPolygon([box(west, 47.0, west + 0.15, 47.3)])
        balance.create(session, name=name, area=area, members=[people[m].id for m in members], day=date(2020, 1, 1))
    for k in range(8):
        add_account(session, f"Account {k}", (9.45 + 0.03 * k, 47.1), account_class="A")
    return people


@pytest.fixture
def stored(empty_database: Engine) -> dict[str, UUID]:
    with transaction() as session:
        return {login: user.id for login, user in company(session).items()}


def night(**more: Any) -> NightRun:
    with transaction() as session:
        return service.ask(session, plan_part, first_day=next_monday(), days=2, steps=300, **more)


def parts_of(run: NightRun) -> dict[str, NightPart]:
    with transaction() as session:
        return {part.name: part for part in service.parts_of(session, run.id)}


def count(table: Any) -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_stranger_and_a_rep_are_sent_away(client_for: Any, people: Any, clients: Any, monday: date) -> None:
    body = {"first_day": monday.isoformat()}
    assert client_for(None).post("/api/v1/nights", json=body).status_code == 401
    assert client_for(None).get("/api/v1/nights").status_code == 401
    assert [clients[login].post("/api/v1/nights", json=body).status_code for login in ("rita", "mona")] == [403, 403]


def test_somebody_sees_of_a_night_what_concerns_their_reps(
    session: Any, people: Any, clients: Any, monday: date
) -> None:
    run = service.ask(session, plan_part, first_day=monday, days=1, steps=10)
    seen = {
        login: {one["name"] for one in clients[login].get(f"/api/v1/nights/{run.id}").json()["parts"]}
        for login in ("mona", "nora")
    }
    assert seen == {"mona": {"Rita", "Otto"}, "nora": {"Nora"}}
    assert clients["mona"].get(f"/api/v1/nights/{uuid4()}").status_code == 404


def test_every_rep_is_in_one_part_and_no_territory_is_left_alone(session: Any) -> None:
    people = company(session)
    reps = service.able_reps(session, next_monday(), 1)
    shares = split(session, reps, next_monday())
    assert sorted(rep for share in shares for rep in share.rep_ids) == sorted(rep.id for rep in reps)
    assert {share.name: people["paul"].id in share.rep_ids for share in shares} == {"East": True, "West": False}


def test_a_night_plans_publishes_and_writes_everybody_and_each_account_once(stored: dict[str, UUID]) -> None:
    run = night()
    worker.run(wait=False)
    parts = parts_of(run)
    assert {name: part.state for name, part in parts.items()} == {"East": PartState.DONE, "West": PartState.DONE}
    with transaction() as session:
        names = session.scalars(select(Stop.account_id).join(Route).where(Route.published_at.is_not(None))).all()
    assert len(names) == len(set(names)) == 8
    assert {login for part in parts.values() for login in part.files} >= {"rita", "otto"}
    assert set(parts["East"].phases) >= {"prepare", "roads", "search", "store", "publish", "files"}


def test_the_same_night_again_changes_nothing(stored: dict[str, UUID]) -> None:
    first = night()
    worker.run(wait=False)
    before = parts_of(first)
    visits = count(Visit)
    second = night()
    worker.run(wait=False)
    after = parts_of(second)
    assert {name: part.files for name, part in after.items()} == {name: part.files for name, part in before.items()}
    assert [part.is_unchanged for part in after.values()] == [True, True]
    assert count(Visit) == visits


def test_the_files_of_a_night_are_sent_and_the_same_ones_are_not_sent_again(
    stored: dict[str, UUID], tmp_path: Path
) -> None:
    with transaction() as session:
        targets.add(session, TargetWrite(name="Drive", kind="folder", folder=str(tmp_path), formats=["ics"]))
    for _ in range(2):
        run = night()
        worker.run(wait=False)
    span = Span.of(run.first_day, run.days)
    assert {path.name for path in (tmp_path / str(span)).iterdir()} == {"rita", "otto"}, "Paul has nothing to do"
    assert count(ExportDelivery) == 2


def standing() -> list[tuple[Any, ...]]:
    """What is published: visits with their times."""
    with transaction() as session:
        rows = session.execute(
            select(Stop.visit_id, Stop.starts_at, Stop.why).join(Route).where(Route.deleted_at.is_(None))
        )
        return sorted(tuple(row) for row in rows)


def test_a_night_from_nothing_gives_the_same_visits_with_the_same_ids_and_times(stored: dict[str, UUID]) -> None:
    night()
    worker.run(wait=False)
    before = standing()
    with transaction() as session:
        for plan_id in session.scalars(select(Plan.id)).all():
            plans.delete(session, system_scope(), plan_id)
    assert standing() == []
    second = night()
    worker.run(wait=False)
    assert not any(part.is_unchanged or part.error for part in parts_of(second).values())
    assert standing() == before


def inputs(run: NightRun) -> dict[str, str | None]:
    """The fingerprint of what each part's search was given."""
    with transaction() as session:
        parts = service.parts_of(session, run.id)
        return {part.name: session.get_one(Plan, part.plan_id).problem_sha256 for part in parts}


def test_a_night_from_nothing_writes_the_same_bytes_whoever_plans_which_part_first(stored: dict[str, UUID]) -> None:
    first = night()
    worker.run(wait=False)
    before, given = parts_of(first), inputs(first)
    with transaction() as session:
        session.execute(text("truncate plan, visit cascade"))  # a withdrawn visit would be cancelled in the calendars
    shutil.rmtree(settings().home / "exports")
    second = night()
    with ThreadPoolExecutor(2) as workers:
        list(workers.map(plan_part, [str(part.id) for part in reversed(list(parts_of(second).values()))]))
    assert {name: part.files for name, part in parts_of(second).items()} == {n: p.files for n, p in before.items()}
    assert all(given.values())
    assert inputs(second) == given


@pytest.fixture(params=["work_out", "publish", "write_files"])
def stopping_worker(request: pytest.FixtureRequest, engine: Engine) -> Iterator[subprocess.Popen[str]]:
    """A worker in a process of its own, stopped before one of the steps."""
    url = engine.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED.format(name=request.param)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"WAYMARK_DATABASE_URL": url},
    )
    yield process
    process.kill()
    process.wait()


def test_a_killed_worker_loses_nothing_and_its_part_is_done_once(
    stored: dict[str, UUID], stopping_worker: subprocess.Popen[str]
) -> None:
    run = night()
    assert stopping_worker.stdout is not None
    assert stopping_worker.stdout.readline() == "working\n"
    os.kill(stopping_worker.pid, signal.SIGKILL)
    stopping_worker.wait()
    with transaction() as session:
        session.execute(text("update procrastinate_workers set last_heartbeat = now() - interval '1 hour'"))
        defer(session, worker.retry_stalled, timestamp=0)
    worker.run(wait=False)
    worker.run(wait=False)
    parts = parts_of(run)
    assert {part.state for part in parts.values()} == {PartState.DONE}
    assert sorted(part.tries for part in parts.values()) == [1, 2], "one part was begun twice, and done once"
    assert count(select(Plan).where(Plan.deleted_at.is_(None)).subquery()) == 2
    assert count(select(Stop).subquery()) == count(Visit) == 8


def test_a_part_that_fails_says_why_and_can_be_planned_again(stored: dict[str, UUID]) -> None:
    run = night()
    with transaction() as session:
        session.get_one(User, stored["rita"]).rep_profile.home = None  # type: ignore[union-attr]
    worker.run(wait=False)
    west = parts_of(run)["West"]
    assert (west.state, west.error) == (PartState.FAILED, "Rita has no place to start from.")
    assert parts_of(run)["East"].state == PartState.DONE
    with transaction() as session:
        set_working_day(session, stored["rita"], {"home": HOME})
        assert service.again(session, plan_part, session.get_one(NightPart, west.id))
    worker.run(wait=False)
    assert parts_of(run)["West"].state == PartState.DONE


def test_a_part_whose_plan_is_deleted_meanwhile_says_so(stored: dict[str, UUID]) -> None:
    run = night()
    part = parts_of(run)["West"]
    with transaction() as session:
        begun = service.begin(session, part.id)
        assert begun is not None
        assert begun.plan_id is not None
        plans.delete(session, system_scope(), begun.plan_id)
    worker.run(wait=False)
    assert parts_of(run)["West"].state == PartState.FAILED
    with transaction() as session:
        assert service.again(session, plan_part, session.get_one(NightPart, part.id))
    worker.run(wait=False)
    assert parts_of(run)["West"].state == PartState.DONE


def test_a_part_whose_job_was_lost_is_asked_for_again_and_one_that_kills_workers_is_not(
    stored: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, later = night(), clock.now() + timedelta(hours=1)
    with transaction() as session:
        session.execute(text("delete from procrastinate_jobs"))
        parts = {part.name: part for part in service.parts_of(session, run.id)}
        parts["West"].state, parts["East"].tries = PartState.RUNNING, service.MOST_TRIES
    watch(timestamp=0)
    worker.run(wait=False)
    assert parts_of(run)["West"].state == PartState.RUNNING, "its job may still be on its way"
    monkeypatch.setattr(clock, "now", lambda: later)
    watch(timestamp=0)
    worker.run(wait=False)
    there = parts_of(run)
    assert (there["West"].state, there["East"].state) == (PartState.DONE, PartState.FAILED)


def test_two_people_who_ask_at_the_same_moment_start_one_night(stored: dict[str, UUID]) -> None:
    refused: list[bool] = []

    def ask_too() -> None:
        with contextlib.suppress(NightUnderWay):
            night()
            return
        refused.append(True)

    second = threading.Thread(target=ask_too)
    with transaction() as session:
        service.ask(session, plan_part, first_day=next_monday(), days=2, steps=300)
        second.start()
        second.join(1)
    second.join(20)
    assert (refused, count(NightRun)) == ([True], 1)


def test_days_that_are_under_way_are_not_planned_twice_at_once(stored: dict[str, UUID]) -> None:
    night()
    with pytest.raises(NightUnderWay):
        night()


def test_a_day_on_which_nobody_works_is_refused(session: Any) -> None:
    company(session)
    with pytest.raises(Invalid, match="Nobody works"):
        service.ask(session, plan_part, first_day=next_monday() + timedelta(days=5), days=2)


def test_an_absent_rep_is_not_planned(session: Any) -> None:
    people = company(session)
    monday = next_monday()
    closures.be_absent(
        session, system_scope(), people["paul"].id, monday, monday + timedelta(days=4), AbsenceKind.VACATION
    )
    assert {rep.name for rep in service.able_reps(session, monday, 5)} == {"Rita", "Otto"}
    assert {rep.name for rep in service.able_reps(session, monday, 9)} == {"Rita", "Otto", "Paul"}


def test_the_night_begins_by_itself_when_its_hour_has_come(stored: dict[str, UUID]) -> None:
    watch(timestamp=0)
    assert count(NightRun) == 0, "it is off until somebody switches it on"
    with transaction() as session:
        session.add(PlanningRules(night_is_on=True, night_hour=0, night_weekdays=list(range(7)), night_steps=50))
    for _ in range(2):
        watch(timestamp=0)
    assert count(NightRun) == 1


def test_the_command_says_what_became_of_each_part(stored: dict[str, UUID]) -> None:
    answer = CliRunner().invoke(command, ["night", next_monday().isoformat(), "--days", "1", "--steps", "50"])
    assert answer.exit_code == 0, answer.output
    assert "2 parts" in answer.output
    assert "West: files of 1 of 1 reps" in answer.output
    with transaction() as session:
        states = set(session.scalars(select(Plan.state)))
    assert states == {PlanState.PUBLISHED}
    assert (settings().home / "exports" / next_monday().isoformat() / "rita").is_dir()
