import subprocess
import sys
from pathlib import Path

import pytest

from routing.engine import compiled, search


@pytest.fixture
def nowhere_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    compiled.folder.cache_clear()


def python(code: str) -> str:
    """What a fresh process prints."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_a_second_process_compiles_nothing() -> None:
    search.prepare()
    code = "from routing.engine import anneal, compiled, search; print(compiled.is_prepared()); search.prepare(); "
    code += "print(sum((anneal.begin.stats.cache_misses + anneal.anneal.stats.cache_misses).values()))"
    assert python(code).split() == ["True", "0"]


def test_the_server_starts_without_the_compiler_and_without_the_solvers() -> None:
    code = "import sys, server.app; print([name for name in ('numba', 'ortools') if name in sys.modules])"
    assert python(code).strip() == "[]"


@pytest.mark.usefixtures("nowhere_kept")
def test_a_folder_that_is_filled_is_used_though_it_cannot_be_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    search.prepare()
    monkeypatch.setattr(compiled, "_writable", lambda place: False)
    assert compiled.folder() == compiled.BESIDE
    assert compiled.is_prepared()


@pytest.mark.usefixtures("nowhere_kept")
def test_where_nothing_is_kept_beside_the_source_the_users_own_folder_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "_filled", lambda place: False)
    monkeypatch.setattr(compiled, "_writable", lambda place: place != compiled.BESIDE)
    place = compiled.folder()
    assert place is not None
    assert place != compiled.BESIDE
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    compiled.folder.cache_clear()
    assert compiled.folder() == tmp_path
    assert not compiled.is_prepared()


@pytest.mark.usefixtures("nowhere_kept")
def test_where_nothing_can_be_kept_at_all_functions_are_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_filled", lambda place: False)
    monkeypatch.setattr(compiled, "_writable", lambda place: False)

    @compiled.outer
    def double(x: int) -> int:
        return 2 * x

    assert compiled.folder() is None
    assert not compiled.is_prepared()
    assert double(21) == 42


@pytest.fixture(autouse=True)
def as_it_was() -> object:
    yield
    compiled.folder.cache_clear()
