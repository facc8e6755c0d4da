"""Background work on a committed database: pins from a real address index, imports that a killed worker began."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from openpyxl import Workbook
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from geo.madeup import write_region
from server.accounts import jobs, places
from server.accounts.importing.target import TARGET
from server.accounts.models import Account, PinState, Site
from server.exchange.commands import import_file, imports
from server.exchange.jobs import apply_import, check_import
from server.geocoding import service as geocoding
from server.imports import service
from server.imports.errors import ChooseLayer, NotReady
from server.imports.models import ImportRun, Mode
from server.imports.targets import Progress
from server.kit.database import transaction
from server.kit.errors import NotFound
from server.kit.settings import settings
from server.records.service import Actor, acting
from server.regions import service as regions


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("region") / "little-biscay.osm.pbf"
    write_region(path)
    return path


@pytest.fixture
def home(empty_database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("WAYMARK_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield tmp_path / "home"
    monkeypatch.undo()
    settings.cache_clear()


def add_region(extract: Path) -> None:
    with transaction() as session:
        region = regions.register(session, "demo", "ab" * 32, extract.name)
        regions.keep_extract(region, extract)
        regions.load(session, region.id, extract)
        regions.pack(session, region.id)
        geocoding.build_index(session, region.id)
        regions.publish(session, region.id)


def add_account(session: Session, name: str, **address: str | None) -> UUID:
    account = Account(name=name)
    session.add(account)
    session.flush()
    places.add_sites(session, account, [places.new_site(session, dict(address))])
    return account.id


def states() -> dict[str, tuple[str, str | None]]:
    with transaction() as session:
        found = session.execute(select(Account.name, Site.pin_state, Site.grade).join(Site))
        return {name: (state, grade) for name, state, grade in found}


ADDRESS = text(
    "select street, number, postcode, city from region_address where postcode is not null and city is not null limit 1"
)


def test_addresses_wait_without_a_map_and_are_placed_when_there_is_one(home: Path, extract: Path) -> None:
    with transaction() as session:
        made_up = add_account(session, "Nowhere", street="Nirgendweg 99", city="Atlantis")
        add_account(session, "No address")
    jobs.locate_account(account_id=str(made_up))
    jobs.locate_pending()
    assert states() == {"Nowhere": ("pending", None), "No address": ("failed", None)}

    add_region(extract)
    with transaction() as session:
        street, number, postcode, city = session.execute(ADDRESS).one()
        add_account(session, "Real", street=f"{street} {number}", postcode=postcode, city=city)
    jobs.locate_pending()
    jobs.locate_pending()
    found = states()
    assert found["Real"] == ("placed", "rooftop")
    assert found["Nowhere"][0] in (PinState.FAILED, PinState.REVIEW)


def test_a_new_map_asks_again_but_leaves_pins_of_people(home: Path, extract: Path) -> None:
    add_region(extract)
    with transaction() as session:
        street, number, postcode, city = session.execute(ADDRESS).one()
        for name in ("Machine", "Person"):
            add_account(session, name, street=f"{street} {number}", postcode=postcode, city=city)
    jobs.locate_pending()
    with transaction() as session:
        session.execute(text("update site set region_version = 'old', pin = st_setsrid(st_makepoint(1, 1), 4326)"))
        by_hand = "update site set grade = 'manual' where account_id = (select id from account where name = 'Person')"
        session.execute(text(by_hand))
    jobs.check_pins_again()
    with transaction() as session:
        pins = session.execute(select(Account.name, Site.region_version, text("st_x(pin)")).join(Site)).all()
    placed = {name: (version, lon) for name, version, lon in pins}
    assert placed["Person"] == ("old", 1.0)
    assert placed["Machine"][0] != "old"
    assert placed["Machine"][1] != 1.0


def test_a_large_import_runs_in_the_background_and_twice_does_no_harm(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("number,name,city\n" + "".join(f"{i},Account {i},Vaduz\n" for i in range(4500)))
    with transaction() as session:
        run = service.receive(session, TARGET, path, file_name=path.name, actor=None)
    check_import(run_id=str(run.id))
    with transaction() as session:
        checked = session.get_one(ImportRun, run.id)
        assert (checked.state, checked.done_rows, checked.counts["create"]) == ("checked", 4500, 4500)
    apply_import(run_id=str(run.id))
    apply_import(run_id=str(run.id))
    with transaction() as session:
        assert session.scalar(text("select count(*) from account")) == 4500
        done = session.get_one(ImportRun, run.id)
        assert (done.state, done.counts["create"], done.counts["unchanged"]) == ("done", 4500, 0)


def test_an_import_that_dies_half_way_leaves_nothing_and_can_be_run_again(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list.csv"
    path.write_text("number,name,city\n1,A,Vaduz\n2,B,Schaan\n")
    with transaction() as session:
        run = service.receive(session, TARGET, path, file_name=path.name, actor=None)
        service.check(session, TARGET, run)
    write = type(TARGET).write

    def die(self: Any, session: Session, run: ImportRun, progress: Progress) -> None:
        write(self, session, run, progress)
        raise KeyboardInterrupt

    monkeypatch.setattr(type(TARGET), "write", die)
    with pytest.raises(KeyboardInterrupt):
        apply_import(run_id=str(run.id))
    monkeypatch.undo()
    with transaction() as session:
        assert session.scalar(text("select count(*) from account")) == 0
    apply_import(run_id=str(run.id))
    with transaction() as session:
        assert session.scalar(text("select count(*) from account")) == 2


def test_the_command_says_what_it_did(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "list.csv"
    path.write_text("number,name,city\n1,A,Vaduz\n2,,Schaan\n")
    import_file(path, dry_run=True, mode=Mode.BOTH)
    printed = capsys.readouterr()
    assert printed.out == "list.csv: 2 rows (dry run): 1 new, 1 error\n"
    assert "list.csv, row 3: error: Name: is missing." in printed.err
    import_file(path, mode=Mode.BOTH)
    assert capsys.readouterr().out == "list.csv: 2 rows: 1 new, 1 error\n"
    assert states() == {"A": ("pending", None)}
    path.write_text("number,name,colour\n2,,red\n\n3,,blue\n")
    told = CliRunner().invoke(imports, [str(path)])
    assert (told.exit_code, told.stdout) == (1, "list.csv: 2 rows: 2 errors, 2 rows with warnings\n")
    assert "Left out: colour\n1 empty row left out\n" in told.stderr
    assert "To take it back" not in told.stderr, "nothing was taken"
    assert "waymark import FILE" in " ".join(CliRunner().invoke(imports, ["--help"]).stdout.split())


def test_the_command_says_how_many_areas_became_points(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "list.geojson"
    ring = [[9.5, 47.1], [9.6, 47.1], [9.6, 47.2], [9.5, 47.1]]
    for count, said in (
        (1, "1 area was taken as a point inside it\n"),
        (2, "2 areas were taken as a point inside them\n"),
    ):
        features = [
            {
                "type": "Feature",
                "properties": {"name": f"N{at}"},
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
            for at in range(count)
        ]
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        told = CliRunner().invoke(imports, [str(path), "--dry-run", "--mode", "create"])
        assert said in told.stderr
        assert told.stdout.endswith(f"{count} new, {count} row{'s' if count > 1 else ''} with warnings\n")


def test_the_command_takes_an_import_back(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("number,name,city\n1,A,Vaduz\n2,B,Schaan\n")
    command = CliRunner()
    told = command.invoke(imports, [str(path), "--mode", "create", "--keep", "name"])
    assert told.stdout == "list.csv: 2 rows: 2 new\n"
    run = told.stderr.split("waymark import undo ")[1].strip()
    assert f"{run}  " in command.invoke(imports, ["list"]).stdout
    with transaction() as session:
        acting(session, Actor(None, "web"))
        session.execute(text("update account set note = 'x' where number = '2'"))
    undone = command.invoke(imports, ["undo", run])
    assert undone.stdout == "list.csv: undone: 1 removed, 0 restored, 1 kept\n"
    assert undone.stderr == "B: the record stays, edited\n"
    assert isinstance(command.invoke(imports, ["undo", run]).exception, NotReady)
    assert isinstance(command.invoke(imports, [str(path), "--profile", "CRM"]).exception, NotFound)
    unknown = command.invoke(imports, ["undo", "123"]).exception
    assert isinstance(unknown, NotFound)
    assert (unknown.message, unknown.help) == ("“123” is the id of no import.", "“waymark import list” tells the ids.")


def test_the_command_imports_what_it_is_told_and_fails_when_no_row_can_be_taken(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("first name,last name,email\nAnna,Muster,anna@firm.example\n")
    command = CliRunner()
    told = command.invoke(imports, [str(path), "--kind", "contacts"])
    assert (told.exit_code, told.stdout) == (0, "people.csv: 1 row: 1 new\n"), told.stderr
    assert " contacts " in command.invoke(imports, ["list"]).stdout
    run = told.stderr.split("waymark import undo ")[1].strip()
    assert command.invoke(imports, ["undo", run]).stdout == "people.csv: undone: 1 removed, 0 restored, 0 kept\n"
    cars = command.invoke(imports, [str(path), "--kind", "cars"]).exception
    assert isinstance(cars, NotFound)
    assert "contacts" in cars.help
    path.write_text("name,city\n,Vaduz\n,Schaan\n")
    lost = command.invoke(imports, [str(path), "--dry-run"])
    assert (lost.exit_code, lost.stdout) == (1, "people.csv: 2 rows (dry run): 2 errors\n")


def test_the_command_says_how_a_sheet_is_chosen(home: Path, tmp_path: Path) -> None:
    book = Workbook()
    for name in ("Kunden", "Lager"):
        sheet = book.create_sheet(name)
        sheet.append(["name", "city"])
        sheet.append(["A AG", "Vaduz"])
    book.save(path := tmp_path / "list.xlsx")
    error = CliRunner().invoke(imports, [str(path), "--dry-run"]).exception
    assert isinstance(error, ChooseLayer)
    assert error.help == "Choose one, e.g. --sheet “Kunden”."
    assert CliRunner().invoke(imports, [str(path), "--dry-run", "--sheet", "Lager"]).exit_code == 0
