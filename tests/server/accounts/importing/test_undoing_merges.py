"""The undo of an import whose accounts were merged, repaired or imported again since."""

from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from server.accounts import service as accounts
from server.accounts.duplicates import merging
from server.accounts.duplicates.merging import MergeWish
from server.accounts.importing.target import TARGET
from server.accounts.models import Account
from server.accounts.place_models import RepairRun
from server.auth.models import User
from server.imports import queries as imports
from server.imports import service
from server.kit import clock
from server.kit.ids import uuid7
from server.records.service import Actor, acting
from tests.server.accounts.importing.conftest import HEADER, NEW, OLD, main_site, numbered, row_hash, run_import


def test_a_later_import_is_named_and_undoing_both_ends_where_all_began(
    session: Session, tmp_path: Path, ada: User
) -> None:
    run_import(session, tmp_path, OLD)
    before = row_hash(session)
    second = run_import(session, tmp_path, NEW)
    third = run_import(session, tmp_path, "number,name,phone\n1,Amann KG,2379999\n3,Zech KG,\n")
    service.undo(session, TARGET, second, ada.id)
    assert [numbered(session, number).name for number in "13"] == ["Amann KG", "Zech KG"]
    kept = [(one.field, one.former, one.why, one.other_run) for one in imports.kept(session, second.id)]
    assert kept == [("name", "Amann", "imported", third.id), ("*", None, "imported", third.id)]
    service.undo(session, TARGET, third, ada.id)
    assert numbered(session, "1").name == "Amann"
    assert row_hash(session) == before


def test_a_later_import_that_is_undone_is_in_nobodys_way(session: Session, tmp_path: Path, ada: User) -> None:
    run_import(session, tmp_path, OLD)
    before = row_hash(session)
    second = run_import(session, tmp_path, NEW)
    third = run_import(session, tmp_path, NEW.replace("Zech", "Zech KG").replace("Weg 9", "Weg 10"))
    service.undo(session, TARGET, third, ada.id)
    service.undo(session, TARGET, second, ada.id)
    assert second.undo_counts == {"removed": 1, "restored": 1, "kept": 0}
    assert row_hash(session) == before


def test_an_account_into_which_others_were_merged_stays(session: Session, tmp_path: Path, ada: User) -> None:
    run = run_import(session, tmp_path, OLD)
    acting(session, Actor(ada.id, "web"))
    loser = Account(name="Amann double", merged_into=numbered(session, "1").id)
    session.add(loser)
    session.flush()
    service.undo(session, TARGET, run, ada.id)
    assert numbered(session, "1").name == "Amann"
    assert [(one.label, one.why) for one in imports.kept(session, run.id)] == [("Amann", "in_use")]


def test_an_account_that_went_into_another_since_stays_and_comes_back_with_the_undo_of_its_merge(
    session: Session, tmp_path: Path, ada: User, scope: Any
) -> None:
    """It was deleted: what the winner had got of it stayed there, and the merge could never be taken back."""
    winner = accounts.create(session, scope(ada), accounts.NewAccount({"name": "Older", "number": "9"}), force=True)
    before = row_hash(session)
    run = run_import(session, tmp_path, OLD)
    merged = merging.merge(session, scope(ada), winner.id, numbered(session, "1").id, MergeWish({}))
    service.undo(session, TARGET, run, ada.id)
    told = {(one.label, one.field) for one in imports.kept(session, run.id)}
    assert ("Amann", "*") in told
    assert merging.undo(session, scope(ada), merged.id).kept == ()
    alone = numbered(session, "1")
    assert (alone.name, alone.phone, main_site(session, alone).street) == ("Amann", "2371212", "Weg 1")
    alone.deleted_at = main_site(session, alone).deleted_at = clock.now()
    session.flush()
    assert row_hash(session) == before, "nothing of it is left at the winner"


def test_a_value_of_an_undone_merge_does_not_come_back_with_the_undo_of_the_import_that_wrote_over_it(
    session: Session, tmp_path: Path, ada: User, scope: Any
) -> None:
    one = accounts.create(session, scope(ada), accounts.NewAccount({"name": "Amann", "number": "1"}), force=True)
    more = {"name": "Loser", "note": "of the loser", "tags": ["x"]}
    other = accounts.create(session, scope(ada), accounts.NewAccount(more), force=True)
    before = row_hash(session)
    merged = merging.merge(session, scope(ada), one.id, other.id, MergeWish({}))
    run = run_import(session, tmp_path, "number,name,note,tags\n1,Amann,from the file,q\n")
    assert set(merging.undo(session, scope(ada), merged.id).kept) == {"Note", "Tags"}
    service.undo(session, TARGET, run, ada.id)
    assert row_hash(session) == before


def test_what_was_done_and_taken_back_since_is_in_nobodys_way(
    session: Session, tmp_path: Path, ada: User, scope: Any
) -> None:
    run = run_import(session, tmp_path, HEADER + "1,Amann,Weg 1,Vaduz,,,,47.1,9.2\n2,Amann,Weg 1,Vaduz,,,,47.1,9.2\n")
    one, two = numbered(session, "1"), numbered(session, "2")
    merged = merging.merge(session, scope(ada), one.id, two.id, MergeWish({}))
    merging.undo(session, scope(ada), merged.id)
    repair = RepairRun(detector="country_missing", actor=ada.id)
    session.add(repair)
    session.flush()
    site = main_site(session, numbered(session, "1"))
    acting(session, Actor(ada.id, "web", op_id=repair.id))
    site.country = "LI"
    session.flush()
    acting(session, Actor(ada.id, "undo", op_id=repair.id))
    site.country = None
    session.flush()
    service.undo(session, TARGET, run, ada.id)
    assert run.undo_counts == {"removed": 2, "restored": 0, "kept": 0}


def test_a_repair_that_was_taken_back_keeps_no_account_that_two_undone_imports_wrote(
    session: Session, tmp_path: Path, ada: User
) -> None:
    first = run_import(session, tmp_path, "number,name,street,city\n1,Amann,Weg 1,Vaduz\n")
    second = run_import(session, tmp_path, "number,name\n1,Amann AG\n")
    site, repair = main_site(session, numbered(session, "1")), uuid7()
    for source, country in (("web", "LI"), ("undo", None)):
        acting(session, Actor(ada.id, source, op_id=repair))
        site.country = country
        session.flush()
    service.undo(session, TARGET, first, ada.id)
    service.undo(session, TARGET, second, ada.id)
    assert second.undo_counts == {"removed": 1, "restored": 0, "kept": 0}


def test_what_a_repair_or_a_merge_has_changed_since_is_told_from_an_edit(
    session: Session, tmp_path: Path, ada: User, scope: Any
) -> None:
    run = run_import(session, tmp_path, HEADER + "1,Amann,Weg 1,Vaduz,,,,,\n2,Beck,Weg 2,Vaduz,,,,,\n3,Beck,,,,,,,\n")
    merging.merge(session, scope(ada), numbered(session, "2").id, numbered(session, "3").id, MergeWish({}))
    repair = RepairRun(detector="country_missing", actor=ada.id)
    session.add(repair)
    session.flush()
    acting(session, Actor(ada.id, "web", op_id=repair.id))
    main_site(session, numbered(session, "1")).country = "LI"
    session.flush()
    service.undo(session, TARGET, run, ada.id)
    told = {(one.label, one.why, one.other_run) for one in imports.kept(session, run.id)}
    assert told >= {("Amann", "repaired", repair.id), ("Beck", "merged", None)}
