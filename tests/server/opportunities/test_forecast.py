"""The forecast: the same sum whatever it is told apart by; snapshots; how good it was; calls and quotas."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, text

from server.accounts.queries import today_of
from server.auth.access import system_scope
from server.kit import clock
from server.kit.errors import Forbidden, Invalid, NotFound
from server.opportunities import accuracy, calls, forecasting, moving, queries, service, snapshots
from server.opportunities.changes import Change
from server.opportunities.forecast_models import ForecastNight, ForecastSnapshot, Span
from server.opportunities.forecasting import By
from server.opportunities.models import Opportunity
from server.opportunities.periods import around

FORECAST = "/api/v1/forecast"


def today() -> date:
    return today_of(system_scope())


@pytest.fixture
def deals(session: Any, people: Any, make_account: Any, make_deal: Any, stages: Any) -> dict[str, Opportunity]:
    """One of each kind, in both territories and in none."""
    west, east, nowhere = make_account("W", (9.2, 47.1)), make_account("E", (9.7, 47.1)), make_account("N")
    rita, otto = people["rita"].id, people["otto"].id
    made = {
        "commit": make_deal("Commit", west, owner_id=rita, category="commit", amount=Decimal("100.10")),
        "best": make_deal("Best", east, owner_id=otto, category="best_case", amount=Decimal("200.20")),
        "pipeline": make_deal("Pipeline", nowhere, owner_id=None, amount=Decimal("300.33"), probability="0.333"),
        "omitted": make_deal("Omitted", west, owner_id=rita, category="omitted"),
        "late": make_deal("Late", west, owner_id=otto, close_on=today() - timedelta(days=200)),
        "far": make_deal("Far", east, owner_id=rita, close_on=today() + timedelta(days=700)),
        "won": make_deal("Won", east, owner_id=otto, amount=Decimal(400)),
        "lost": make_deal("Lost", west, owner_id=rita),
        "foreign": make_deal("Foreign", west, owner_id=rita, amount=Decimal(50), currency="USD"),
    }
    for name, stage, reason in (("won", "Won", "Price"), ("lost", "Lost", "Price")):
        deal = made[name]
        moving.move(session, system_scope(), deal.id, stages[stage].id, deal.rev, {"reason": reason})
    return made


def test_a_stranger_is_sent_away(client_for: Any) -> None:
    nobody = client_for(None)
    for method, path in [
        ("get", ""), ("get", "/changes"), ("get", "/accuracy"), ("get", "/periods"), ("post", "/calls"),
        ("put", "/quotas"),
    ]:  # fmt: skip
        assert getattr(nobody, method)(FORECAST + path).status_code == 401, path


def test_the_forecast_counts_only_deals_that_one_may_see(clients: Any, deals: Any) -> None:
    def names(client: Any) -> set[str]:
        return {one["name"] for one in client.get(FORECAST).json()["groups"]}

    assert names(clients["ada"]) == {"rita", "otto", None}
    otto = clients["otto"].get(FORECAST).json()
    counts = [
        sum(part[kind]["count"] for kind in ("closed", "commit", "best_case", "pipeline")) for part in otto["total"]
    ]
    assert sum(counts) == 4  # Best, Late, Won, and Far, which lies in his territory


@pytest.mark.parametrize("span", list(Span))
def test_the_sums_over_people_territories_and_regions_are_the_whole(session: Any, deals: Any, span: Span) -> None:
    whole = [forecasting.forecast(session, system_scope(), by, span) for by in By]
    for key in whole[0].keys:
        for name in ("closed", "commit", "best_case", "pipeline", "omitted"):
            figures = [getattr(one.total.at(key), name) for one in whole]
            assert len({(one.count, one.amount, one.weighted, str(one.apart)) for one in figures}) == 1, (key, name)
    assert sum(one.at(key).pipeline.count for one in whole[0].groups for key in whole[0].keys) == 4
    assert sum(one.total.at(key).commit.amount for one in whole[:1] for key in one.keys) == Decimal("100.10")


def test_what_has_no_rate_stands_apart_in_the_forecast(session: Any, deals: Any) -> None:
    found = forecasting.forecast(session, system_scope(), By.OWNER, Span.QUARTER)
    apart = [found.total.at(key).pipeline.apart for key in found.keys]
    assert [one for one in apart if one] == [{"USD": Decimal("50.00")}]


@pytest.mark.parametrize("by", list(By))
def test_every_number_opens_exactly_its_deals(session: Any, deals: Any, by: By) -> None:
    found = forecasting.forecast(session, system_scope(), by, Span.QUARTER)
    for group in found.groups:
        for key in found.keys:
            for kind in ("closed", "commit", "best_case", "pipeline"):
                filter = f"{group.term} and {forecasting.term_of_period(found, key, kind)}"
                total = queries.page(session, system_scope(), filter=filter).total
                figure = getattr(group.at(key), kind)
                if key == forecasting.OVERDUE and kind == "closed":
                    continue  # what was sold before the running period is history
                assert (total.count, total.amount) == (figure.count, figure.amount), filter


IDS = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def test_the_map_shows_the_deals_of_the_list(clients: Any, deals: Any) -> None:
    known = {str(deal.id) for deal in deals.values()}
    for filter in ("state = open", "category = commit or state = won", 'owner = "rita"'):
        client = clients["ada"]
        found = client.get("/api/v1/opportunities", params={"filter": filter, "limit": 500}).json()["items"]
        listed = {one["id"] for one in found if one["lon"]}
        drawn = set()
        for x in (134, 135):
            tile = client.get(f"/tiles/opportunities/8/{x}/89", params={"filter": filter})
            drawn |= {found.decode() for found in re.findall(IDS, tile.content)} & known
        assert drawn == listed != set(), filter


def test_the_night_is_written_down_once(session: Any, deals: Any) -> None:
    assert snapshots.take(session) == 7
    assert snapshots.take(session) is None
    (night,) = session.scalars(select(ForecastNight)).all()
    assert (night.day, night.deals) == (today(), 7)
    kept = {one.opportunity_id: one for one in session.scalars(select(ForecastSnapshot))}
    one = kept[deals["pipeline"].id]
    assert (one.amount, one.probability, one.category, one.owner_id) == (
        Decimal("300.33"), Decimal("0.333"), "pipeline", None,
    )  # fmt: skip


def test_after_a_downtime_no_day_is_made_up(session: Any, deals: Any) -> None:
    session.add(ForecastNight(day=today() - timedelta(days=5), taken_at=clock.now() - timedelta(days=5), deals=0))
    snapshots.take(session)
    assert [one.day for one in snapshots.nights(session)] == [today(), today() - timedelta(days=5)]


def a_week_ago(session: Any) -> date:
    """Let today's snapshot be last week's, of deals that are older."""
    snapshots.take(session)
    day = today() - timedelta(days=7)
    session.execute(text("insert into forecast_night values (:day, now() - interval '7 days', 0)"), {"day": day})
    session.execute(text("update forecast_snapshot set day = :day"), {"day": day})
    session.execute(text("delete from forecast_night where day <> :day"), {"day": day})
    session.execute(text("update opportunity set created_at = now() - interval '9 days'"))
    session.expire_all()
    return day


def test_what_changed_since_last_week_is_told_deal_by_deal_and_reconciles(
    session: Any, deals: Any, stages: Any, make_deal: Any
) -> None:
    day, scope = a_week_ago(session), system_scope()
    deal = deals["commit"]
    moving.move(session, scope, deal.id, stages["Won"].id, deal.rev, {"reason": "Price"})
    service.edit(session, scope, deals["best"].id, deals["best"].rev, {"amount": "250"})
    moving.move(session, scope, deals["pipeline"].id, stages["Needs"].id, deals["pipeline"].rev)
    moving.move(session, scope, deals["lost"].id, stages["Needs"].id, deals["lost"].rev)
    service.delete(session, scope, deals["omitted"].id, deals["omitted"].rev)
    make_deal("Fresh", amount=Decimal(77))
    found = snapshots.changes_since(session, scope, day)
    reasons = {(found.names[one.deal_id].name, one.change, one.amount) for one in found.bridge.moves}
    assert reasons - {one for one in reasons if one[1] is Change.SAME} == {
        ("Commit", Change.WON, Decimal("-100.10")),
        ("Best", Change.UP, Decimal("49.80")),
        ("Pipeline", Change.STAGE, Decimal(0)),
        ("Lost", Change.REOPENED, Decimal("1000.00")),
        ("Omitted", Change.DELETED, Decimal("-1000.00")),
        ("Fresh", Change.NEW, Decimal("77.00")),
    }
    assert found.apart == 1  # in a currency without a rate
    open_now = queries.page(session, scope, filter="state = open").total
    assert found.bridge.after == open_now.amount
    assert found.bridge.before + sum(one.amount for one in found.bridge.moves) == found.bridge.after


def test_without_a_snapshot_nothing_is_invented(clients: Any, deals: Any) -> None:
    assert clients["ada"].get(f"{FORECAST}/changes").status_code == 404


def test_accuracy_holds_what_was_said_against_what_came(session: Any, deals: Any, stages: Any) -> None:
    period = around(today(), Span.QUARTER).shifted(-1)
    said_on = period.end - timedelta(weeks=6)
    session.add(ForecastNight(day=said_on, taken_at=clock.now(), deals=1))
    session.flush()
    deal = deals["won"]
    common = {"pipeline_id": deal.pipeline_id, "stage_id": deal.stage_id, "currency": "EUR", "day": said_on}
    for one, category, amount, share in ((deal, "commit", 300, "0.8"), (deals["best"], "best_case", 100, "0.5")):
        session.add(
            ForecastSnapshot(
                opportunity_id=one.id, owner_id=None, territory_id=None, amount=Decimal(amount),
                probability=Decimal(share), category=category, close_on=period.last, **common,
            )
        )  # fmt: skip
    at = datetime.combine(period.end - timedelta(days=3), datetime.min.time(), UTC)
    session.execute(text("update opportunity set closed_at = :at where id = :id"), {"at": at, "id": deal.id})
    hit = accuracy.accuracy(session, system_scope(), Span.QUARTER, 6)[-1]
    assert hit.period == period
    assert hit.sold == Decimal("400.00")
    assert hit.said is not None
    assert (hit.said.commit, hit.said.best_case, hit.said.weighted) == (300, 400, Decimal("290.0"))
    assert [hit.error(name) for name in ("commit", "best_case", "weighted")] == [-25, 0, Decimal("-27.5")]
    earlier = accuracy.accuracy(session, system_scope(), Span.QUARTER, 6)[0]
    assert earlier.said is None


def test_history_says_how_often_deals_of_a_stage_are_won(session: Any, deals: Any) -> None:
    found = {one.stage.name: one for one in snapshots.learned(session)}
    assert (found["Qualify"].closed, found["Qualify"].won, found["Qualify"].share) == (2, 1, Decimal("0.5"))
    assert found["Needs"].share is None


def test_calls_are_kept_beside_the_computed(session: Any, scope: Any, people: Any, deals: Any) -> None:
    now, rita = around(today(), Span.QUARTER), people["rita"].id
    calls.call(session, scope(people["rita"]), rita, Span.QUARTER, now.first, "500")
    calls.call(session, scope(people["rita"]), rita, Span.QUARTER, now.first, "600", "A new lead")
    calls.call(session, scope(people["mona"]), rita, Span.QUARTER, now.first, "450")
    calls.set_quota(session, scope(people["mona"]), rita, now.first, "900")
    said = calls.calls(session, [rita], now)[rita]
    assert (said["own"].amount, said["own"].note, said["manager"].amount) == (600, "A new lead", 450)
    month = around(today(), Span.MONTH)
    assert calls.quotas(session, [rita], now) == {rita: Decimal(900)}
    assert calls.quotas(session, [rita], month) == {rita: Decimal(300)}


def test_a_call_that_makes_no_sense_is_refused(session: Any, scope: Any, people: Any) -> None:
    now = around(today(), Span.QUARTER)
    rita, mona, otto = (scope(people[name]) for name in ("rita", "mona", "otto"))
    with pytest.raises(Forbidden):
        calls.call(session, rita, otto.user_id, Span.QUARTER, now.first, "1")
    with pytest.raises(Forbidden):
        calls.set_quota(session, rita, rita.user_id, now.first, "1")
    with pytest.raises(NotFound):
        calls.call(session, mona, otto.user_id, Span.QUARTER, now.first, "1")
    with pytest.raises(Invalid, match="first day"):
        calls.call(session, rita, rita.user_id, Span.QUARTER, now.first + timedelta(days=1), "1")
    with pytest.raises(Invalid, match="Amount"):
        calls.call(session, rita, rita.user_id, Span.QUARTER, now.first, "-1")
