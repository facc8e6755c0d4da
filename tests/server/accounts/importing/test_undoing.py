"""The undo of an import: exact, updates included, and never over what somebody has changed since."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from geo.geocode.types import Answer
from geo.types import Grade, LonLat
from server.accounts import pins, queries
from server.accounts import service as accounts
from server.accounts.importing.target import TARGET
from server.accounts.models import Account, Site
from server.activities.notes.models import Note
from server.auth.models import Role, User
from server.closures.models import SiteClosure
from server.imports import queries as imports
from server.imports import service, undoing
from server.imports.models import ImportRun
from server.kit import clock
from server.kit.errors import WaymarkError
from server.records.service import Actor, acting
from server.territories.models import Territory
from tests.server.accounts.importing.conftest import (
    NEW,
    OLD,
    by_hand,
    main_site,
    numbered,
    placed_by_machine,
    row_hash,
    run_import,
)

type ClientFor = Callable[[User | None], TestClient]


def test_undo_brings_back_every_value_and_takes_away_what_was_created(
    session: Session, tmp_path: Path, ada: User, west: Territory, east: Territory
) -> None:
    run_import(session, tmp_path, OLD)
    first = numbered(session, "1")
    assert first.territory_id == west.id
    exact = Answer(LonLat(9.1234567, 47.3), grade=Grade.INTERPOLATED, uncertainty_m=12.3456789, confidence=0.912345)
    placed_by_machine(session, "2", exact)
    before = row_hash(session)
    run = run_import(session, tmp_path, NEW + "2,Beck,Weg 22,,,,,,\n")
    session.refresh(first)
    assert (first.name, first.territory_id) == ("Amann AG", east.id)
    placed_by_machine(session, "23", Answer(LonLat(9.7, 47.2), grade=Grade.ROOFTOP, confidence=1))
    service.undo(session, TARGET, run, ada.id)
    assert row_hash(session) == before
    assert (run.state, run.undone_by, run.undo_counts) == ("undone", ada.id, {"removed": 1, "restored": 2, "kept": 0})
    site = main_site(session, numbered(session, "2"))
    assert (site.grade, site.uncertainty_m, site.confidence) == ("interpolated", 12.3456789, 0.912345)
    entries = session.execute(
        text("select distinct actor, source from field_history where op_id = :op"), {"op": run.undo_op}
    ).all()
    assert [tuple(entry) for entry in entries] == [(ada.id, "undo")], "the undo stands in the history"


def test_undo_twice_or_of_what_is_not_applied_is_refused(session: Session, tmp_path: Path, ada: User) -> None:
    run = run_import(session, tmp_path, OLD)
    service.undo(session, TARGET, run, ada.id)
    with pytest.raises(WaymarkError, match="undone already"):
        service.undo(session, TARGET, run, ada.id)
    waiting = service.receive(session, TARGET, tmp_path / "list.csv", file_name="list.csv", actor=None)
    with pytest.raises(WaymarkError, match="nothing of it is applied"):
        service.undo(session, TARGET, waiting, ada.id)


def test_what_stayed_is_taken_back_by_a_second_undo_once_nothing_rests_on_it(
    session: Session, tmp_path: Path, ada: User
) -> None:
    run_import(session, tmp_path, OLD)
    before = row_hash(session)
    run = run_import(session, tmp_path, NEW + "4,Ott,Weg 4,Vaduz,,,,,\n")
    acting(session, Actor(ada.id, "web"))
    notes = [Note(account_id=numbered(session, number).id, author_id=ada.id, text="Called") for number in "34"]
    session.add_all(notes)
    session.flush()
    service.undo(session, TARGET, run, ada.id)
    op = run.undo_op
    assert run.undo_counts == {"removed": 0, "restored": 1, "kept": 2}
    with pytest.raises(WaymarkError, match="nothing of what stayed can be taken back yet"), session.begin_nested():
        service.undo(session, TARGET, run, ada.id)
    assert len(imports.kept(session, run.id)) == 2
    notes[0].deleted_at = clock.now()
    session.flush()
    service.undo(session, TARGET, run, ada.id)
    assert [(one.label, one.value, one.why) for one in imports.kept(session, run.id)] == [
        ("Ott", {"note": 1}, "in_use")
    ]
    assert run.undo_counts == {"removed": 1, "restored": 1, "kept": 1}
    notes[1].deleted_at = clock.now()
    session.flush()
    service.undo(session, TARGET, run, ada.id)
    assert row_hash(session) == before
    assert (run.undo_counts, run.undo_op) == ({"removed": 2, "restored": 1, "kept": 0}, op)
    with pytest.raises(WaymarkError, match="undone already"):
        service.undo(session, TARGET, run, ada.id)


def test_a_second_undo_touches_only_what_the_first_has_left(
    session: Session, tmp_path: Path, ada: User, scope: Any
) -> None:
    """What the first took back is people's by now: neither their later edits nor what they brought back is asked of."""
    run_import(session, tmp_path, OLD)
    run = run_import(session, tmp_path, NEW + "2,Beck AG,Weg 2,,,,,,\n4,Ott,Weg 4,Vaduz,,,,,\n")
    first, third, fourth = (numbered(session, number) for number in "134")
    by_hand(session, ada, first, phone="999")
    session.add(note := Note(account_id=third.id, author_id=ada.id, text="Called"))
    session.flush()
    service.undo(session, TARGET, run, ada.id)
    session.expire_all()
    by_hand(session, ada, first, name="Amann KG", phone="999")
    by_hand(session, ada, fourth, deleted_at=None)
    note.deleted_at = clock.now()
    session.flush()
    service.undo(session, TARGET, run, ada.id)
    session.expire_all()
    assert [(first.name, first.phone), fourth.deleted_at] == [("Amann KG", "999"), None]
    assert third.deleted_at is not None
    assert [(one.label, one.field, one.why) for one in imports.kept(session, run.id)] == [
        ("Amann KG", "phone", "edited")
    ]


def test_a_former_number_goes_back_by_a_second_undo_once_it_is_free(
    session: Session, tmp_path: Path, ada: User
) -> None:
    run_import(session, tmp_path, "number,name,city\n1,Amann,Vaduz\n")
    run = run_import(session, tmp_path, "number,name,city\n7,Amann,Vaduz\n", key="name")
    other = run_import(session, tmp_path, "number,name,city\n1,Other,Schaan\n")
    service.undo(session, TARGET, run, ada.id)
    service.undo(session, TARGET, other, ada.id)
    service.undo(session, TARGET, run, ada.id)
    assert numbered(session, "1").name == "Amann"
    assert (run.undo_counts["restored"], imports.kept(session, run.id)) == (1, [])


def test_what_a_person_changed_since_stays_and_is_named(session: Session, tmp_path: Path, ada: User) -> None:
    run_import(session, tmp_path, OLD)
    run = run_import(session, tmp_path, NEW)
    first, third = numbered(session, "1"), numbered(session, "3")
    by_hand(session, ada, first, phone="999")
    by_hand(session, ada, third, note="called")
    service.undo(session, TARGET, run, ada.id)
    session.refresh(first)
    assert (first.name, first.phone, str(first.yearly_value), first.tags) == ("Amann", "999", "100.00", ["red"])
    assert numbered(session, "3").note == "called"
    kept = [(one.label, one.field, one.value, one.former, one.why) for one in imports.kept(session, run.id)]
    assert kept == [
        ("Amann AG", "phone", "999", "2371212", "edited"),
        ("Zech", "*", None, None, "edited"),
    ]
    assert {one.changed_by for one in imports.kept(session, run.id)} == {ada.id}


def test_a_pin_that_a_person_has_set_since_keeps_its_address(session: Session, tmp_path: Path, ada: User) -> None:
    run_import(session, tmp_path, OLD)
    run = run_import(session, tmp_path, NEW)
    site = main_site(session, numbered(session, "1"))
    acting(session, Actor(ada.id, "web"))
    pins.set_by_hand(site, LonLat(9.3, 47.3))
    session.flush()
    service.undo(session, TARGET, run, ada.id)
    session.refresh(site)
    assert (site.grade, site.street, numbered(session, "1").name) == ("manual", "Weg 9", "Amann")
    assert {one.field for one in imports.kept(session, run.id)} == {"street", "city", "pin"}


def test_a_former_number_that_is_taken_by_now_is_not_taken_back(session: Session, tmp_path: Path, ada: User) -> None:
    run_import(session, tmp_path, "number,name,city\n1,Amann,Vaduz\n")
    run = run_import(session, tmp_path, "number,name,city\n7,Amann,Vaduz\n", key="name")
    run_import(session, tmp_path, "number,name,city\n1,Other,Schaan\n")
    service.undo(session, TARGET, run, ada.id)
    assert numbered(session, "7").name == "Amann"
    assert [(one.field, one.former, one.why) for one in imports.kept(session, run.id)] == [("number", "1", "taken")]


def test_rows_that_mean_accounts_out_of_reach_are_errors_and_tell_nothing(
    session: Session, tmp_path: Path, make_user: Callable[..., User], make_account: Callable[..., Account], rita: User
) -> None:
    secret = make_account("Secret", number="S", owner_id=rita.id, note="private")
    mona = make_user("mona", Role.MANAGER)
    path = tmp_path / "list.csv"
    path.write_text("number,name,note\nS,Hijacked,pwned\n")
    run = service.receive(session, TARGET, path, file_name=path.name, actor=mona.id)
    service.check(session, TARGET, run)
    (row,) = imports.outcomes(session, run.id)
    assert (row.action, row.changes, row.problems[-1]["code"]) == ("error", {}, "not_yours")
    service.apply(session, TARGET, run)
    session.refresh(secret)
    assert secret.name == "Secret"


def test_a_file_can_be_imported_again_after_its_undo(session: Session, tmp_path: Path, ada: User) -> None:
    service.undo(session, TARGET, run_import(session, tmp_path, OLD), ada.id)
    assert run_import(session, tmp_path, OLD).counts["create"] == 2


def test_values_that_a_person_wrote_stay_where_so_chosen(session: Session, tmp_path: Path, ada: User) -> None:
    run_import(session, tmp_path, OLD)
    first = numbered(session, "1")
    by_hand(session, ada, first, phone="999", phone_e164=None)
    run = run_import(session, tmp_path, NEW, keep=["phone", "name"], country="LI")
    outcome = imports.outcomes(session, run.id)[0]
    assert outcome.action == "update"
    assert outcome.kept == {"phone": ["999", "2379999"], "phone_e164": [None, "+4232379999"]}
    session.refresh(first)
    assert (first.name, first.phone, first.phone_e164) == ("Amann AG", "999", None)
    again = run_import(session, tmp_path, NEW, keep=["phone", "name"], country="LI")
    assert (again.counts["update"], again.counts["unchanged"]) == (0, 2)
    over = run_import(session, tmp_path, NEW, country="LI")
    service.undo(session, TARGET, over, ada.id)
    assert numbered(session, "1").phone == "999"
    last = run_import(session, tmp_path, NEW, keep=["phone"], country="LI")
    assert last.counts["update"] == 0, "an undo is nobody's edit"


def test_only_those_who_import_undo(
    client_for: ClientFor, admin_client: TestClient, session: Session, tmp_path: Path, make_user: Callable[..., User]
) -> None:
    run = run_import(session, tmp_path, OLD)
    for client, status in ((client_for(None), 401), (client_for(make_user("rolf", Role.REP)), 403)):
        assert client.post(f"/api/v1/imports/{run.id}/undo").status_code == status
        assert client.get(f"/api/v1/imports/{run.id}/kept").status_code == status
    by_hand(session, session.scalars(select(User).where(User.login == "ada")).one(), numbered(session, "1"), note="x")
    done = admin_client.post(f"/api/v1/imports/{run.id}/undo")
    assert (done.status_code, done.json()["state"], done.json()["undo_counts"]["kept"]) == (200, "undone", 1)
    assert admin_client.get(f"/api/v1/imports/{run.id}/kept").json()["items"][0]["label"] == "Amann"
    assert admin_client.post(f"/api/v1/imports/{run.id}/undo").json()["code"] == "import_not_ready"


def test_a_deleted_account_is_left_alone(session: Session, tmp_path: Path, ada: User, scope: Any) -> None:
    run = run_import(session, tmp_path, OLD)
    account = numbered(session, "2")
    acting(session, Actor(ada.id, "web"))
    accounts.delete(session, scope(ada), account.id, account.rev)
    service.undo(session, TARGET, run, ada.id)
    assert run.undo_counts == {"removed": 1, "restored": 0, "kept": 0}


def test_a_branch_of_the_same_file_goes_with_its_head_office_unless_it_stays_itself(
    session: Session, tmp_path: Path, ada: User
) -> None:
    run = run_import(session, tmp_path, "number,name,city\n1,Amann,Vaduz\n2,Beck,Vaduz\n3,Zech,Vaduz\n4,Ott,Vaduz\n")
    one, two, three, four = (numbered(session, number) for number in "1234")
    acting(session, Actor(None, "import", op_id=run.id))
    two.parent_id, three.parent_id, four.parent_id = one.id, two.id, None
    session.flush()
    by_hand(session, ada, three, note="called")
    service.undo(session, TARGET, run, ada.id)
    assert run.undo_counts == {"removed": 1, "restored": 0, "kept": 3}
    found = [(kept.label, kept.why, kept.value) for kept in imports.kept(session, run.id)]
    assert found == [("Amann", "in_use", {"account": 1}), ("Beck", "in_use", {"account": 1}), ("Zech", "edited", None)]


def test_branches_of_the_same_file_go_with_their_head_office(session: Session, tmp_path: Path, ada: User) -> None:
    run = run_import(session, tmp_path, "number,name,city\n1,Amann,Vaduz\n2,Beck,Vaduz\n")
    acting(session, Actor(None, "import", op_id=run.id))
    numbered(session, "2").parent_id = numbered(session, "1").id
    session.flush()
    service.undo(session, TARGET, run, ada.id)
    assert run.undo_counts == {"removed": 2, "restored": 0, "kept": 0}


def test_a_site_that_came_to_an_older_account_stays_when_a_closed_day_of_it_was_entered(
    session: Session, tmp_path: Path, ada: User
) -> None:
    run_import(session, tmp_path, OLD)
    run = run_import(session, tmp_path, NEW)
    acting(session, Actor(None, "import", op_id=run.id))
    account = numbered(session, "2")
    closed, other = (Site(account_id=account.id, is_main=False, city=city) for city in ("Schaan", "Balzers"))
    session.add_all([closed, other])
    session.flush()
    acting(session, Actor(ada.id, "web"))
    day = clock.now().date()
    session.add(SiteClosure(site_id=closed.id, first_day=day, last_day=day, reason="Holiday"))
    session.flush()
    service.undo(session, TARGET, run, ada.id)
    assert [site.city for site in queries.sites_of(session, [account.id]) if not site.is_main] == ["Schaan"]
    assert ("Beck", "*", {"site_closure": 1}, "in_use") in [
        (one.label, one.field, one.value, one.why) for one in imports.kept(session, run.id)
    ]


def test_a_pin_that_check_ins_have_placed_since_stays_with_its_address(
    session: Session, tmp_path: Path, ada: User
) -> None:
    run_import(session, tmp_path, OLD)
    run = run_import(session, tmp_path, "number,name,street,city\n2,Beck,Weg 22,Vaduz\n")
    site = main_site(session, numbered(session, "2"))
    acting(session, Actor(None, "checkins"))
    site.pin, site.pin_state = pins.wkt(LonLat(9.2, 47.1)), "placed"
    site.grade, site.provider = "gps_confirmed", "checkins"
    session.flush()
    service.undo(session, TARGET, run, ada.id)
    session.refresh(site)
    assert (site.street, site.grade) == ("Weg 22", "gps_confirmed")
    assert {one.why for one in imports.kept(session, run.id)} == {"confirmed"}
    made = run_import(session, tmp_path, "number,name,street,city\n8,Nagel,Weg 8,Vaduz\n")
    site = main_site(session, numbered(session, "8"))
    acting(session, Actor(None, "checkins"))
    site.grade = "gps_confirmed"
    session.flush()
    service.undo(session, TARGET, made, ada.id)
    assert [(one.label, one.why) for one in imports.kept(session, made.id)] == [("Nagel", "confirmed")]


def test_what_a_job_does_for_somebody_is_no_background_work(session: Session, tmp_path: Path, ada: User) -> None:
    run = run_import(session, tmp_path, OLD)
    acting(session, Actor(ada.id, "job"))
    numbered(session, "1").owner_id = ada.id  # a hand-over on its day
    session.flush()
    service.undo(session, TARGET, run, ada.id)
    assert [(one.label, one.why) for one in imports.kept(session, run.id)] == [("Amann", "edited")]


def test_what_was_hung_on_it_while_it_was_being_undone_keeps_it_too(
    session: Session, tmp_path: Path, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_import(session, tmp_path, OLD)
    account, found_out = numbered(session, "2"), undoing.find_out

    def meanwhile(session: Session, target: Any, run: ImportRun) -> None:
        found_out(session, target, run)
        session.add(Note(account_id=account.id, author_id=ada.id, text="Called"))
        session.flush()

    monkeypatch.setattr(undoing, "find_out", meanwhile)
    service.undo(session, TARGET, run, ada.id)
    session.expire_all()
    there = select(Account.number).where(Account.deleted_at.is_(None))
    assert session.scalars(there).all() == ["2"]
    assert main_site(session, account).deleted_at is None
    kept = [(one.record_id, one.field, one.value, one.why) for one in imports.kept(session, run.id)]
    assert kept == [(account.id, "*", {"note": 1}, "in_use")]
    assert run.undo_counts == {"removed": 1, "restored": 0, "kept": 1}
