"""The index's files: written by the job, again by whoever misses them, never half, and gone with their source."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from geo.geocode import mapped
from geo.geocode.building import build
from geo.geocode.types import AddressQuery
from geo.osm.records import AddressPoint
from geo.types import LonLat
from server.geocoding import indexes, queries, service
from server.geocoding.models import Source
from server.kit.database import transaction
from server.kit.settings import settings
from server.regions.errors import NoSpace
from server.regions.models import Region

QUESTION = AddressQuery(query="7 Mill Rd, Catonsville, MD 21228")
WAYMARK = Path(sys.executable).with_name("waymark")


@pytest.fixture(autouse=True)
def home(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("WAYMARK_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    forget()
    yield tmp_path / "home"
    monkeypatch.undo()
    settings.cache_clear()
    forget()


def forget() -> None:
    """What another process, or this one after a restart, would know."""
    vars(service)["_current"] = None


def add(session: Session, name: str = "county", last: int = 40) -> Source:
    addresses = [
        AddressPoint(f"x{n}", str(n), "Mill Road", "21228", "Catonsville", "US", LonLat(-76.7, 39.2 + n / 5000))
        for n in range(1, last + 1)
    ]
    session.execute(delete(Source).where(Source.name == name))
    source = Source(
        name=name, country="US", origin="The County", licence="", attribution=["The County"], fingerprint=f"{last:012}"
    )
    return service.write(session, source, build(addresses))


def files() -> list[Path]:
    return sorted(settings().folder(indexes.FOLDER).glob("*.index"))


def test_the_job_writes_the_file_and_questions_only_read_it(session: Session) -> None:
    add(session)
    (file,) = files()
    written = file.stat().st_mtime_ns
    assert service.locate(session, QUESTION).number == "7"
    assert file.stat().st_mtime_ns == written


def test_a_missing_file_is_written_from_the_tables_and_is_the_same(session: Session, region: Region) -> None:
    service.build_index(session, region.id)
    (file,) = [f for f in files() if queries.served(session)[0].id.hex in f.name]
    written = file.read_bytes()
    file.unlink()
    service.locate(session, QUESTION)
    assert file.read_bytes() == written


@pytest.mark.parametrize("kept", [0, 50, 2_000, -3])
def test_a_file_that_was_cut_off_is_written_again(session: Session, kept: int) -> None:
    add(session)
    (file,) = files()
    whole = file.read_bytes()
    file.unlink()
    file.write_bytes(whole[:kept])
    assert service.locate(session, QUESTION).is_confident
    assert file.read_bytes() == whole


def test_a_file_whose_content_was_damaged_is_written_again(session: Session) -> None:
    add(session)
    (file,) = files()
    whole = file.read_bytes()
    half = len(whole) // 2
    file.unlink()
    file.write_bytes(whole[:half] + bytes(len(whole) - half))
    assert service.locate(session, QUESTION).is_confident
    assert file.read_bytes() == whole


def test_another_source_leaves_the_file_of_the_first_alone(session: Session) -> None:
    add(session)
    (first,) = files()
    written = first.stat().st_mtime_ns
    add(session, "other county", 50)
    assert service.locate(session, QUESTION).is_confident
    assert len(files()) == 2
    assert first.stat().st_mtime_ns == written


def test_a_file_without_a_source_is_cleared_away_but_not_while_it_may_be_somebodys(session: Session) -> None:
    add(session)
    (old,) = files()
    add(session, last=30)
    service.locate(session, QUESTION)
    assert old in files()
    os.utime(old, (1_000_000_000, 1_000_000_000))
    forget()
    service.locate(session, QUESTION)
    assert old not in files()
    assert len(files()) == 1


def test_a_newer_program_writes_its_own_file(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    add(session)
    monkeypatch.setattr(indexes, "rules", lambda: "other rules")
    assert service.locate(session, QUESTION).is_confident
    assert len(files()) == 2


def test_what_a_killed_writer_left_is_swept_up(session: Session) -> None:
    left = settings().folder(indexes.FOLDER) / f".a.index.x{mapped.PART}"
    left.write_bytes(b"half")
    add(session)
    assert not left.exists()


def test_a_full_disk_is_named_and_leaves_nothing(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NoSpace, match="county") as error:
        add(session)
    assert str(settings().home) in error.value.help
    assert [p.name for p in settings().folder(indexes.FOLDER).iterdir()] == ["build.lock"]


def test_two_processes_that_miss_the_file_at_once_both_answer(empty_database: Engine, tmp_path: Path) -> None:
    with transaction() as session:
        add(session)
        source = session.scalars(select(Source)).one().id
    (file,) = files()
    whole = file.read_bytes()
    file.unlink()
    asked = tmp_path / "in.csv"
    asked.write_text("id,query\n" + "".join(f"{n},{n} Mill Rd Catonsville 21228\n" for n in range(1, 41)))
    found = [tmp_path / f"out{n}.csv" for n in range(2)]
    running = [subprocess.Popen([str(WAYMARK), "geocode", str(asked), str(out)]) for out in found]
    assert [process.wait() for process in running] == [0, 0]
    assert found[0].read_text() == found[1].read_text()
    assert "39.2014" in found[0].read_text()
    assert file.read_bytes() == whole
    assert sorted(p.name for p in file.parent.iterdir()) == sorted([file.name, "build.lock"])
    with transaction() as session:
        session.execute(delete(Source).where(Source.id == source))
