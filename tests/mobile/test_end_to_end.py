"""The phone, as a process of its own, against the real server and database: what a rep does all day."""

import json
import socket
import subprocess
import sys
import threading
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
import uvicorn
from shapely.geometry import MultiPolygon, box
from sqlalchemy import Engine, text

from server.accounts import service as accounts
from server.accounts.models import Site
from server.accounts.service import NewAccount
from server.activities import service as activities
from server.activities.models import Visit
from server.auth import codes
from server.auth.access import scope_of
from server.auth.models import Role, User
from server.auth.service import create_user
from server.kit import clock
from server.kit.database import transaction
from server.kit.settings import settings
from server.plans.models import Plan, Route, Stop
from server.territories import service as territories
from tests.application import served
from tests.conftest import PASSWORD

PICKLIST = """
insert into picklist (id, name, values)
select gen_random_uuid(), 'visit_outcome', '[{"value": "order", "label": "Order"}]'
where not exists (select 1 from picklist where name = 'visit_outcome')
"""


class Office:
    """The server on a port of this machine, and what people in the office do."""

    def __init__(self, engine: Engine):
        self.engine = engine
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.server = None

    def start(self):
        started = threading.Event()

        class Server(uvicorn.Server):
            async def startup(self, sockets=None):
                await super().startup(sockets)
                started.set()

        config = uvicorn.Config(served(), host="127.0.0.1", port=self.port, log_level="error")
        self.server = Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        assert started.wait(30)

    def stop(self):
        self.server.should_exit = True
        self.thread.join(30)

    def sql(self, query, **values):
        with self.engine.begin() as connection:
            return connection.execute(text(query), values).fetchall()

    def furnish(self):
        """Two reps, two territories, four accounts, a planned visit at three of them."""
        with self.engine.begin() as connection:
            connection.execute(text(PICKLIST))
        with transaction() as session:
            ada = create_user(session, login="ada", name="Ada", role=Role.ADMIN, password=PASSWORD)
            rita = create_user(session, login="rita", name="Rita", role=Role.REP, password=PASSWORD)
            otto = create_user(session, login="otto", name="Otto", role=Role.REP, password=PASSWORD)
            west = territories.create(session, name="West", area=MultiPolygon([box(9.0, 47.0, 9.5, 47.5)]))
            east = territories.create(session, name="East", area=MultiPolygon([box(9.5, 47.0, 10.0, 47.5)]))
            self.today = clock.today(settings().zone)
            long_ago = self.today - timedelta(days=400)
            territories.set_members(session, west.id, [rita.id], day=long_ago)
            territories.set_members(session, east.id, [otto.id], day=long_ago)
            scope = scope_of(session, ada, source="api")
            self.rita, self.visits, self.account_ids = rita.id, [], []
            for i, (name, lon) in enumerate(
                (("Müller AG", 9.2), ("Näscher", 9.3), ("Ospelt", 9.4), ("Ottos Kunde", 9.7))
            ):
                site = {"street": f"Gasse {i}", "city": "Ort", "country": "LI", "lon": lon, "lat": 47.1}
                account = accounts.create(
                    session, scope, NewAccount({"name": name, "phone": f"+4232321{i}00"}, [site]), force=True
                )
                session.flush()
                self.account_ids.append(str(account.id))
                if lon < 9.5:
                    self.visits.append(str(self._plan(session, account.id, rita.id, i)))

    def _plan(self, session, account_id, rep_id, i):
        (site,) = session.query(Site).filter_by(account_id=account_id).all()
        starts = datetime.combine(self.today, datetime.min.time(), ZoneInfo(settings().zone)) + timedelta(hours=8 + i)
        planned = activities.PlannedVisit(
            account_id,
            site.id,
            rep_id,
            self.today,
            settings().zone,
            starts_at=starts,
            ends_at=starts + timedelta(minutes=30),
        )
        return activities.plan_visit(session, planned).id

    def publish_route(self):
        """The rep's day as a published route that visits the last customer first."""
        day = datetime.combine(self.today, datetime.min.time(), ZoneInfo(settings().zone))
        depot = {"name": "Depot", "lon": 9.1, "lat": 47.1}
        with transaction() as session:
            plan = Plan(
                state="published",
                rep_ids=[self.rita],
                first_day=self.today,
                days=1,
                engine="straight",
                steps=1,
                seed=1,
                requested_by=self.rita,
                estimated=True,
                published_at=day,
            )
            session.add(plan)
            session.flush()
            route = Route(
                plan_id=plan.id,
                rep_id=self.rita,
                day=self.today,
                zone=settings().zone,
                start_anchor=depot,
                end_anchor=depot,
                leaves_at=day + timedelta(hours=7),
                returns_at=day + timedelta(hours=16),
                drive_s=3600,
                distance_m=42_000,
                estimated=True,
                polylines=["", "", "", ""],
                legs=[],
                published_at=day,
            )
            session.add(route)
            session.flush()
            for position, visit_id in enumerate(reversed(self.visits), start=1):
                visit = session.get_one(Visit, visit_id)
                at = day + timedelta(hours=7 + position)
                session.add(
                    Stop(
                        route_id=route.id,
                        visit_id=visit.id,
                        account_id=visit.account_id,
                        site_id=visit.site_id,
                        position=position,
                        arrives_at=at,
                        starts_at=at,
                        ends_at=at + timedelta(minutes=30),
                        drive_s=900,
                        distance_m=10_000,
                        estimated=True,
                        why="Due",
                        prize_s=60,
                        overdue_days=0,
                    )
                )


@pytest.fixture
def office(empty_database):
    office = Office(empty_database)
    office.furnish()
    office.start()
    yield office
    office.stop()


def phone(home, *args, expect=0):
    command = [sys.executable, "-m", "mobile.headless", "--home", str(home), *args]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.returncode == expect, ran.stdout + ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture
def home(tmp_path, office):
    phone(tmp_path / "phone", "--server", office.address, "--login", "rita", "--password", PASSWORD, "sign-in")
    synced = phone(tmp_path / "phone", "sync")
    assert synced["ok"], synced
    return tmp_path / "phone"


def test_the_phone_holds_the_reps_territory_and_day_and_nothing_else(office, home):
    stops = phone(home, "today", "--day", office.today.isoformat())["stops"]
    assert [s["name"] for s in stops] == ["Müller AG", "Näscher", "Ospelt"]
    assert phone(home, "status")["accounts"] == 3


def test_a_published_route_orders_the_day(office, home):
    office.publish_route()
    assert phone(home, "sync")["ok"]
    day = phone(home, "today", "--day", office.today.isoformat())
    assert [(s["position"], s["name"]) for s in day["stops"]] == [(1, "Ospelt"), (2, "Näscher"), (3, "Müller AG")]
    assert (day["drive_s"], day["distance_m"]) == (3600, 42_000)
    assert [v["visit_id"] for v in phone(home, "log-visits", "1")["visits"]] == [office.visits[-1]]


def test_visits_logged_while_the_server_is_down_arrive_exactly_once(office, home):
    office.stop()
    logged = phone(home, "log-visits", "3", "--day", office.today.isoformat())
    assert logged["unsent"] == 3
    assert phone(home, "sync", expect=1)["code"] == "unreachable"
    office.start()
    synced = phone(home, "sync")
    assert (synced["results"], synced["unsent"], synced["attention"]) == ({"applied": 3}, 0, 0)
    done = office.sql("select id::text, state, outcome, verification from visit order by planned_start_at")
    told = {visit["visit_id"]: visit["outcome"] for visit in logged["visits"]}
    assert [(i, s, o) for i, s, o, _v in done] == [(v, "done", told[v]) for v in office.visits]
    assert {v for *_x, v in done} == {"verified"}
    assert office.sql("select count(*) from visit_event") == [(3,)]
    assert phone(home, "sync")["results"] == {}
    assert [s["state"] for s in phone(home, "today", "--day", office.today.isoformat())["stops"]] == ["done"] * 3


def in_phone(home, work):
    """Use the phone's files as the app does."""
    from mobile.phone import Phone

    opened = Phone(home)
    store = opened.home.store()
    try:
        return work(store), opened.sync(store)
    finally:
        store.close()


def test_office_and_rep_change_different_fields_and_both_are_kept(office, home):
    from mobile.field.capture import edit

    office.sql("update account set phone = '+4231111111' where id = :id returning id", id=office.account_ids[0])
    _, report = in_phone(home, lambda store: edit(store, "account", office.account_ids[0], {"email": "new@example.li"}))
    assert report.ok, report.detail
    assert report.results == {"merged": 1}
    assert office.sql("select phone, email from account where id = :id", id=office.account_ids[0]) == [
        ("+4231111111", "new@example.li")
    ]


def test_office_and_rep_change_the_same_field_and_the_rep_is_shown_both(office, home):
    from mobile.field import conflicts, reads
    from mobile.field.capture import edit

    account_id = office.account_ids[1]
    office.sql("update account set phone = '+4231111111' where id = :id returning id", id=account_id)
    _, report = in_phone(home, lambda store: edit(store, "account", account_id, {"phone": "+4232222222"}))
    assert report.results == {"conflict": 1}, report

    def settle(store):
        (needing,) = reads.sync_state(store).attention
        (conflict,) = needing.result["conflicts"]
        assert (conflict["mine"], conflict["server"]) == ("+4232222222", "+4231111111")
        assert store.cache.doc("account", account_id)["phone"] == "+4231111111"
        (question,) = conflicts.questions(store)
        return conflicts.answer(store, question, mine=True)

    _, report = in_phone(home, settle)
    assert report.ok, report.detail
    assert office.sql("select state from field_conflict where field = 'phone'") == [("took_mine",)]
    assert office.sql("select phone from account where id = :id", id=account_id) == [("+4232222222",)]


def test_the_office_decides_on_its_page_and_the_phone_hears_who_decided_what(office, home):
    from mobile import reasons
    from mobile.field import conflicts, reads
    from mobile.field.capture import edit
    from mobile.texts import Words

    account_id, wrote = office.account_ids[2], {"website": "https://rep.example"}
    office.sql("update account set website = 'https://office.example' where id = :id returning id", id=account_id)
    _, report = in_phone(home, lambda store: edit(store, "account", account_id, wrote))
    assert report.results == {"conflict": 1}, report
    ((conflict_id,),) = office.sql("select id from field_conflict where state = 'open'")
    with httpx.Client(base_url=office.address, headers={"accept": "text/html"}, follow_redirects=True) as page:
        page.post("/sign-in", data={"login": "ada", "password": PASSWORD})
        token = page.get("/conflicts").text.split('name="_csrf" value="')[1].split('"')[0]
        said = page.post(f"/conflicts/{conflict_id}", data={"_csrf": token, "decision": "keep_server"}).text
    assert "is now “https://office.example”" in said
    _, report = in_phone(home, lambda store: None)
    assert (report.ok, report.decided) == (True, 1), report

    def told(store):
        (question,) = conflicts.questions(store)
        assert reads.sync_state(store).attention == ()
        return reasons.decided(Words("en"), question.conflict, question.decided)

    words, _ = in_phone(home, told)
    assert words == "Ada kept the office's value: Website is “https://office.example”. You wrote “https://rep.example”."
    assert office.sql("select website from account where id = :id", id=account_id) == [("https://office.example",)]


def test_an_account_that_moves_to_another_territory_leaves_the_phone(office, home):
    office.sql(
        "update site set pin = st_setsrid(st_makepoint(9.7, 47.1), 4326),"
        " territory_id = (select id from territory where name = 'East') where account_id = :id returning id",
        id=office.account_ids[2],
    )
    office.sql(
        "update account set territory_id = (select id from territory where name = 'East') where id = :id returning id",
        id=office.account_ids[2],
    )
    assert phone(home, "sync")["ok"]
    held, _ = in_phone(
        home,
        lambda store: store.cache.db.execute(
            "select count(*) from membership where e='account' and id=?", (office.account_ids[2],)
        ).fetchone()[0],
    )
    assert held <= 1, "at most the rep's own bucket still holds it, because a planned visit leads there"


def test_a_password_does_not_unlock_a_phone_that_the_office_has_locked(office, home):
    office.sql("update device set state = 'locked' where user_id = :id returning id", id=office.rita)
    devices = office.sql("select id, state from device order by id")
    try:
        assert phone(home, "sync", expect=1)["code"] == "device_locked"
        signing_in = ("--server", office.address, "--login", "rita", "--password", PASSWORD, "sign-in")
        assert phone(home, *signing_in, expect=1)["code"] == "device_locked"
        assert office.sql("select id, state from device order by id") == devices
    finally:
        office.sql("update device set state = 'active' where user_id = :id returning id", id=office.rita)
    assert phone(home, "sync")["ok"]


def test_a_stranger_gets_no_phone(office, tmp_path):
    answer = phone(
        tmp_path, "--server", office.address, "--login", "rita", "--password", "nonsense", "sign-in", expect=1
    )
    assert not answer["ok"]


def test_a_code_from_the_office_lets_one_phone_in(office, tmp_path):
    with transaction() as session:
        scope = scope_of(session, session.get_one(User, office.rita), source="web")
        _, code = codes.make(session, scope, office.rita)
    wanted = ("--server", office.address, "--code", code.lower(), "sign-in")
    assert phone(tmp_path / "hers", *wanted)["name"] == "Rita"
    assert phone(tmp_path / "hers", "sync")["ok"]
    assert phone(tmp_path / "another", *wanted, expect=1)["code"] == "code_used"
