"""Figures that can be worked out by hand, told apart in every way, and exactly the rows that their links show."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pypdf import PdfReader
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.reaching import Reaching
from server.activities.models import VisitState
from server.auth.access import Scope
from server.auth.models import User
from server.auth.service import change_user
from server.kit import clock
from server.plans.models import Stop
from server.reports import links
from server.reports.figures import By, Report, report, trend
from server.reports.measures import ALL, BY_KEY
from server.reports.periods import Against, Period, Span, around
from server.reports.rows import Of, rows
from server.reports.sums import Asked
from tests.server.reports.conftest import People, World, add_route, add_visit, today

pytestmark = pytest.mark.usefixtures("app")


def values(found: Report) -> dict[str, float | None]:
    """The whole's values by measure."""
    return {one.key: one.value(found.total.now) for one in found.measures if found.shows(one)}


def test_every_measure_is_what_its_definition_says(
    session: Session, world: World, people: People, period: Period, scope: Callable[[User], Scope]
) -> None:
    found = report(session, scope(people["ada"]), period)
    told = values(found)
    hours = told.pop("hours")
    # Classes A, B and C ask for 14, 28 and 84 days at a tolerance of a fifth; the month ends four weeks on.
    assert told == {
        "coverage": 2 / 4,
        "call_cycle": 1 / 4,
        "overdue": 3,
        "visits": 2,
        "strike_rate": 1 / 2,
        "plan_adherence": 1 / 2,
        "drive_share": 2 / 8,
        "km_per_visit": 80,
        "revenue_per_drive_hour": 250,
    }
    assert hours is not None
    assert 0 < hours < 0.2
    assert found.total.now.apart == {"XAU": 70}
    assert (found.total.now.accounts, found.total.then.visited) == (4, 0)


@pytest.mark.parametrize("by", list(By))
def test_groups_add_up_to_the_whole_whatever_they_are_told_apart_by(
    session: Session, world: World, people: People, period: Period, scope: Callable[[User], Scope], by: By
) -> None:
    found = report(session, scope(people["ada"]), period, by=by)
    for name in ("accounts", "visited", "done", "stops", "kept", "drive_s", "distance_km", "revenue"):
        assert sum(getattr(group.now, name) for group in found.groups) == pytest.approx(
            getattr(found.total.now, name)
        ), name
    names = {group.name for group in found.groups}
    assert names >= {
        By.PERSON: {"Rita", "Otto"}, By.TEAM: {"North"}, By.TERRITORY: {"West", "East"}, By.REGION: {None},
        By.CLASS: {"A", "B", "C"},
    }[by]  # fmt: skip


@pytest.mark.parametrize("by", list(By))
def test_what_a_number_opens_are_the_accounts_that_it_counts(
    session: Session, clients: Any, world: World, people: People, period: Period, scope: Callable[[User], Scope], by: By
) -> None:
    ada, maps = scope(people["ada"]), 0
    world["Beck"].last_visit_on = today() - timedelta(days=33)  # due after 30 days, and within the tolerance of six
    add_visit(session, world["Beck"], people["otto"], today() - timedelta(days=33))
    for asked in (period, around(today(), Span.MONTH)):
        found = report(session, ada, asked, by=by, filter="city is empty or name != Nobody")
        for key in ("coverage", "call_cycle", "overdue"):
            measure = BY_KEY[key]
            for group in (found.total, *found.groups):
                upper, lower = getattr(group.now, measure.upper), group.now.accounts
                ways = [(upper, links.behind(found, measure, group))]
                if measure.lower:
                    ways.append((lower - upper, links.behind(found, measure, group, rest=True)))
                    below = links.below(found, measure, group)
                    assert clients["ada"].get(f"/api/v1{below}").json()["total"] == lower
                for counted, where in ways:
                    assert where is not None
                    told = clients["ada"].get(f"/api/v1{where.list}").json()
                    assert (told["total"], len(told["items"])) == (counted, counted), (key, group.name, where.list)
                    page = clients["ada"].get(where.list, headers={"accept": "text/html"}).text
                    assert page.count('<td><a href="/accounts/') == counted
                    if where.map:
                        text = parse_qs(urlsplit(where.map).query)["filter"][0]
                        assert listed(session, ada, text) == counted, (key, group.name, text)
                        maps += 1
    assert maps or by in (By.TEAM, By.REGION)


@pytest.mark.parametrize("by", list(By))
def test_what_a_number_opens_are_the_visits_stops_and_routes_that_it_counts(
    session: Session, clients: Any, world: World, people: People, period: Period, scope: Callable[[User], Scope], by: By
) -> None:
    sums = {
        "done": "total", "ordered": "total", "kept": "total", "stops_done": "total", "stops": "total",
        "drive_h": "drive_h", "work_h": "work_h", "distance_km": "distance_km", "planned_h": "work_h",
    }  # fmt: skip
    opened = 0
    for filter in (None, "class in (A, C)"):
        found = report(session, scope(people["ada"]), period, by=by, filter=filter)
        for measure in (one for one in found.measures if found.shows(one)):
            for group in (found.total, *found.groups):
                where = links.behind(found, measure, group)
                for name, path in (
                    (measure.upper, where and where.list),
                    (measure.lower, links.below(found, measure, group)),
                ):
                    if name in sums:
                        answer = clients["ada"].get(f"/api/v1{path}")
                        assert answer.status_code == 200, (path, answer.text)
                        counted = getattr(group.now, name)
                        assert answer.json()[sums[name]] == pytest.approx(counted), (measure.key, name, group.name)
                        opened += 1
                if measure.key == "plan_adherence":
                    rest = links.behind(found, measure, group, rest=True)
                    assert clients["ada"].get(f"/api/v1{rest.list}").json()["total"] == group.now.stops - group.now.kept
    assert opened > 20


def test_a_group_of_which_somebody_sees_nothing_is_not_named(
    clients: Any, world: World, people: People, period: Period
) -> None:
    days = f"first={period.first}&last={period.last}&of=visits"
    for name in ("otto", "ada"):
        refused = clients["rita"].get(f"/reports/rows?{days}&by=person&group={people[name].id}")
        assert refused.status_code == 404
        assert people[name].name not in refused.text
    assert clients["rita"].get(f"/reports/rows?{days}&by=person&group={people['rita'].id}").status_code == 200
    assert clients["ada"].get(f"/reports/rows?{days}&by=person&group={people['ada'].id}").status_code == 200


def test_rows_behind_a_number_are_shown_with_their_plans_and_a_strange_group_is_named(
    clients: Any, world: World, people: People, period: Period
) -> None:
    days = f"first={period.first}&last={period.last}"
    shown = clients["ada"].get(f"/reports/rows?of=routes&{days}&by=person&group={people['rita'].id}")
    assert "/plans/" in shown.text
    assert "Rita" in shown.text
    assert "Amann" in clients["ada"].get(f"/reports/rows?of=stops_done&{days}").text
    assert "Amann" in clients["ada"].get(f"/reports/rows?of=visits&{days}").text
    for group in ("nonsense", people["rita"].id):
        refused = clients["ada"].get(f"/api/v1/reports/rows?of=visits&{days}&by=team&group={group}")
        assert (refused.status_code, refused.json()["detail"]) == (404, "There is no such group in this report.")
        assert clients["ada"].get(f"/reports/rows?of=visits&{days}&by=team&group={group}").status_code == 404


def listed(session: Session, scope: Scope, filter: str) -> int:
    """How many accounts the list shows."""
    chosen = accounts.chosen(Reaching(session), scope, filter=filter)
    return session.scalar(select(func.count()).select_from(chosen.order_by(None).subquery())) or 0


def test_every_link_is_a_filter_that_its_list_understands(
    clients: Any, world: World, people: People, period: Period, scope: Callable[[User], Scope], session: Session
) -> None:
    for by in By:
        found = report(session, scope(people["ada"]), period, by=by, filter="class in (A, B)")
        for measure in ALL:
            for group in (found.total, *found.groups):
                for rest in (False, True):
                    where = links.behind(found, measure, group, rest=rest)
                    if where and not where.list.startswith("/plans"):
                        answer = clients["ada"].get("/api/v1" + where.list)
                        assert answer.status_code == 200, (where.list, answer.text)


def test_a_rep_sees_their_own_figures_and_a_manager_the_teams(
    session: Session, world: World, people: People, period: Period, scope: Callable[[User], Scope]
) -> None:
    otto = report(session, scope(people["otto"]), period)
    assert {group.name for group in otto.groups} == {"Otto"}
    assert (otto.total.now.done, otto.total.now.stops) == (1, 0)
    nora = report(session, scope(people["nora"]), period)
    assert (nora.total.now.accounts, nora.total.now.done) == (0, 0)
    mona = report(session, scope(people["mona"]), period)
    assert mona.total.now.done == 2


def test_stops_of_today_whose_time_is_over_count_as_not_done(
    session: Session, world: World, people: People, scope: Callable[[User], Scope]
) -> None:
    def measured() -> tuple[int, int]:
        now = report(session, scope(people["ada"]), around(today(), Span.MONTH), measures=[BY_KEY["plan_adherence"]])
        return now.total.now.stops, now.total.now.kept

    rita = people["rita"]
    planned = [add_visit(session, world[name], rita, today(), VisitState.PLANNED) for name in ("Amann", "Beck")]
    made = add_route(session, rita, today(), [(world["Amann"], planned[0]), (world["Beck"], planned[1])])
    over, ahead = session.scalars(select(Stop).where(Stop.route_id == made.id).order_by(Stop.position)).all()
    over.ends_at, ahead.ends_at = clock.now() - timedelta(minutes=1), clock.now() + timedelta(hours=1)
    session.flush()
    assert measured() == (1, 0)
    planned[1].state = VisitState.DONE
    session.flush()
    assert measured() == (2, 1)


def test_hours_of_somebody_who_left_count_up_to_that_day(
    session: Session, world: World, people: People, period: Period, scope: Callable[[User], Scope]
) -> None:
    before = report(session, scope(people["ada"]), period).total.now
    change_user(session, people["rita"].id, {"active": False}, people["ada"].id)
    after = report(session, scope(people["ada"]), period).total.now
    assert (after.available_h, after.planned_h) == (before.available_h, before.planned_h), "they left after the period"
    people["rita"].left_on = period.first - timedelta(days=1)
    session.flush()
    gone = report(session, scope(people["ada"]), period).total.now
    assert gone.available_h == pytest.approx(before.available_h * 2 / 3), "one of three"
    assert gone.planned_h == 0, "nobody drove after leaving"
    found = rows(Asked(session, scope(people["ada"]), period), Of.PLANNED)
    assert found.total == 0, "as the rows behind the number"
    change_user(session, people["rita"].id, {"active": True}, people["ada"].id)
    assert people["rita"].left_on is None


def test_a_filter_leaves_its_share_of_a_route_and_takes_the_hours_away(
    session: Session, world: World, people: People, period: Period, scope: Callable[[User], Scope]
) -> None:
    found = report(session, scope(people["ada"]), period, filter="name = Amann")
    assert (found.total.now.stops, found.total.now.drive_s) == (1, 3_600)
    assert not found.shows(BY_KEY["hours"])
    assert found.total.now.accounts == 1


def test_a_merged_accounts_visits_count_for_the_one_that_lives_on(
    session: Session, world: World, people: People, period: Period, scope: Callable[[User], Scope]
) -> None:
    world["Amann"].merged_into = world["Cavegn"].id
    session.flush()
    found = report(session, scope(people["ada"]), period, filter="class = B")
    assert (found.total.now.accounts, found.total.now.visited) == (1, 1)


def test_a_trend_ends_with_the_chosen_period(
    session: Session, world: World, people: People, period: Period, scope: Callable[[User], Scope]
) -> None:
    moments = trend(session, scope(people["ada"]), period, BY_KEY["visits"])
    assert [one.period for one in moments] == [period.shifted(back) for back in range(-11, 1)]
    assert [one.sums.done for one in moments][-1] == 2
    assert sum(one.sums.done for one in moments) == 3


def test_a_running_period_is_compared_with_as_many_days(
    session: Session, world: World, people: People, scope: Callable[[User], Scope]
) -> None:
    running = around(today(), Span.MONTH)
    before = running.shifted(-1)
    gone = (today() - running.first).days
    add_visit(session, world["Amann"], people["rita"], before.last)
    found = report(session, scope(people["ada"]), running)
    is_over = today() == running.last or before.first + timedelta(days=gone) >= before.last
    # The world's two visits of that month were on its first and its fourth day.
    assert found.total.then.done == 1 + (is_over or gone >= 3) + is_over


def test_the_days_that_are_compared_are_named_wherever_the_figure_stands(
    clients: Any, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2030, 11, 29, 12, tzinfo=UTC))
    ada, asked = clients["ada"], "span=month&day=2030-11-29"
    told = ada.get(f"/api/v1/reports?{asked}").json()
    assert (told["compared"]["first"], told["compared"]["last"]) == ("2030-10-01", "2030-10-29")
    text = ada.get(f"/api/v1/reports/file?format=csv&{asked}").text.lstrip("\ufeff")
    days = {row["measure"]: row["compared_last_day"] for row in csv.DictReader(io.StringIO(text))}
    assert days.pop("hours") == "2030-10-31", "hours are of the whole period"
    assert set(days.values()) == {"2030-10-29"}
    assert {one["measure"]: one["compared_last_day"] for one in told["total"]["figures"]} == days | {
        "hours": "2030-10-31"
    }
    page = ada.get(f"/reports/measures/coverage?{asked}", headers={"accept": "text/html"}).text
    assert "The line is where it stood in 1–29 October 2030." in page
    assert '<th class="number">1–29 October 2030</th>' in page
    assert "October 2030</th>" in ada.get(f"/reports/measures/hours?{asked}", headers={"accept": "text/html"}).text
    pdf = ada.get(f"/api/v1/reports/file?format=pdf&{asked}").content
    printed = "".join(one.extract_text() for one in PdfReader(io.BytesIO(pdf)).pages)
    assert "against 1–29 October 2030" in printed


def test_amounts_that_a_role_may_not_see_are_in_no_report(
    session: Session, world: World, people: People, period: Period, scope: Callable[[User], Scope]
) -> None:
    from dataclasses import replace

    from server.auth.roles import FieldRight

    blind = replace(scope(people["ada"]), fields={"order.totals": FieldRight.HIDDEN})
    found = report(session, blind, period)
    assert "revenue_per_drive_hour" not in {one.key for one in found.measures}
    assert found.total.now.revenue == 0


def test_bad_wishes_are_named(clients: Any, world: World) -> None:
    ada = clients["ada"]
    assert ada.get("/api/v1/reports?first=2026-02-01&last=2026-01-01").json()["field"] == "last"
    assert ada.get("/api/v1/reports?filter=class+%3D").status_code in (400, 422)
    assert ada.get("/api/v1/reports/trends/nothing").status_code == 404
    page = ada.get("/reports?filter=class+%3D", headers={"accept": "text/html"})
    assert page.status_code in (400, 422)
    assert "Coverage" not in page.text


@pytest.mark.parametrize("by", list(By))
def test_the_pages_show_every_measure(clients: Any, world: World, period: Period, by: By) -> None:
    headers = {"accept": "text/html"}
    page = clients["ada"].get(f"/reports?by={by}&day={period.first}&against={Against.YEAR}", headers=headers).text
    assert 'data-measure="coverage"' in page
    for measure in ALL if by in (By.PERSON, By.CLASS) else ():
        shown = clients["ada"].get(f"/reports/measures/{measure.key}?by={by}&day={period.first}", headers=headers)
        assert shown.status_code == 200
        assert '<svg class="chart' in shown.text
