"""The browser libraries' folder."""

from pathlib import Path

import pytest

from server.kit.errors import Unavailable
from server.web import vendor


def test_a_folder_that_is_not_there_or_of_an_older_lock_file_is_not_current(tmp_path: Path) -> None:
    assert not vendor.is_current(tmp_path)
    (tmp_path / "stamp").write_text("of an older lock file")
    assert not vendor.is_current(tmp_path)


def test_every_library_that_is_listed_is_served() -> None:
    if not vendor.is_current():
        pytest.skip("the browser libraries are not installed; `make setup` does it")
    for target in vendor.FILES.values():
        found = vendor.FOLDER / target
        assert found.is_file() or any(found.iterdir()), target


def test_a_failed_installation_leaves_the_served_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = tmp_path / "vendor"
    served.mkdir()
    (served / "htmx.min.js").write_text("still here")
    monkeypatch.setattr(vendor, "_npm_ci", lambda workplace: None)
    with pytest.raises(Unavailable, match="not in the installed packages"):
        vendor.install(served)
    assert (served / "htmx.min.js").read_text() == "still here"
