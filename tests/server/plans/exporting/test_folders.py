"""A rep's folder is whole or not there, and hands out only what its manifest lists."""

import io
import zipfile
from datetime import date
from pathlib import Path

import pytest

from routing.export.tour import Span
from routing.export.types import ExportFile
from server.plans.exporting import folders

DAY = Span.of(date(2026, 11, 24))


def files(login: str, content: bytes = b"BEGIN:VCALENDAR") -> list[ExportFile]:
    manifest = (
        f'{{"format": "waymark-export/2", "login": "{login}", "span": "2026-11-24", "files": [{{"name": "day.ics"}}]}}'
    )
    return [
        ExportFile("day.ics", "text/calendar", content),
        ExportFile("manifest.json", "application/json", manifest.encode()),
    ]


def test_an_export_is_stored_by_day_and_rep(home: Path) -> None:
    assert folders.store(DAY, "rita", files("rita")) == home / "exports/2026-11-24/rita"
    assert folders.spans() == [DAY]
    assert [export.login for export in folders.exports_of(DAY)] == ["rita"]
    assert sorted(path.name for path in (home / "exports/2026-11-24").iterdir()) == [".lock", "rita"]


def test_the_same_files_again_touch_nothing(home: Path) -> None:
    folder = folders.store(DAY, "rita", files("rita"))
    before = folder.stat().st_ino
    assert folders.store(DAY, "rita", files("rita")).stat().st_ino == before
    assert folders.store(DAY, "rita", files("rita", b"other")).stat().st_ino != before
    assert (folder / "day.ics").read_bytes() == b"other"


def test_a_failure_in_the_middle_leaves_the_old_export(home: Path) -> None:
    folders.store(DAY, "rita", files("rita"))
    broken = [*files("rita", b"new"), ExportFile("no/such/folder", "x", b"")]
    with pytest.raises(folders.NotWritten):
        folders.store(DAY, "rita", broken)
    assert folders.export_of(DAY, "rita").file("day.ics").read_bytes() == b"BEGIN:VCALENDAR"
    assert len(list((home / "exports/2026-11-24").iterdir())) == 2


def test_only_listed_files_are_handed_out() -> None:
    folders.store(DAY, "rita", files("rita"))
    export = folders.export_of(DAY, "rita")
    assert export.file("day.ics").is_file()
    for name in ("../rita/day.ics", "/etc/passwd", ".lock", ""):
        with pytest.raises(folders.NoExport):
            export.file(name)


def test_the_archive_holds_everything_and_is_the_same_every_time() -> None:
    folders.store(DAY, "rita", files("rita"))
    export = folders.export_of(DAY, "rita")
    assert export.zipped() == export.zipped()
    assert zipfile.ZipFile(io.BytesIO(export.zipped())).namelist() == ["day.ics", "manifest.json"]


def test_reps_without_a_route_lose_their_stale_export() -> None:
    folders.store(DAY, "rita", files("rita"))
    folders.store(DAY, "otto", files("otto"))
    folders.remove_others(DAY, {"otto"})
    assert [export.login for export in folders.exports_of(DAY)] == ["otto"]


def test_foreign_folders_and_damaged_manifests_are_passed_over(home: Path) -> None:
    folders.store(DAY, "rita", files("rita"))
    (home / "exports/2026-11-24/otto").mkdir()
    (home / "exports/notes").mkdir()
    (home / "exports/20261124").mkdir()
    (home / "exports/2026-11-24/otto/manifest.json").write_text("{")
    assert folders.spans() == [DAY]
    assert [export.login for export in folders.exports_of(DAY)] == ["rita"]
    with pytest.raises(folders.NoExport, match="otto"):
        folders.export_of(DAY, "otto")


def test_a_place_that_cannot_be_written_is_named_with_the_way_out(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("in the way")
    with pytest.raises(
        folders.NotWritten, match=r"export of rita cannot be written to .*file.*Not a directory"
    ) as told:
        folders.store(date(2026, 11, 24), "rita", files("rita"), taken)
    assert "free space" in told.value.help
