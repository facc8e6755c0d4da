"""The file of arrays: whole or refused, never half."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from geo.geocode import mapped
from geo.geocode.mapped import Broken

ARRAYS = {"numbers": np.arange(1_000, dtype=np.uint32), "nothing": np.zeros(0), "letters": np.frombuffer(b"abc", "u1")}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.index"
    mapped.write(path, ARRAYS, "one")
    return path


def put(file: Path, content: bytes) -> None:
    """Other bytes under the same name."""
    file.unlink()
    file.write_bytes(content)


def test_nobody_may_write_into_a_file_that_processes_have_mapped(file: Path) -> None:
    assert file.stat().st_mode & 0o222 == 0


def test_what_was_written_is_read(file: Path) -> None:
    found = mapped.read(file, "one")
    assert {name: array.tolist() for name, array in found.items()} == {n: a.tolist() for n, a in ARRAYS.items()}
    assert found["numbers"].dtype == np.uint32
    assert file.read_bytes() == mapped.pack(ARRAYS, "one")


def test_what_is_read_cannot_be_changed(file: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        mapped.read(file, "one")["numbers"][0] = 7


@pytest.mark.parametrize("kept", [0, 5, 20, 100, 4_000, -1])
def test_a_file_that_was_cut_off_is_refused(file: Path, kept: int) -> None:
    whole = file.read_bytes()
    put(file, whole[:kept])
    with pytest.raises(Broken):
        mapped.read(file, "one")


@pytest.mark.parametrize(("at", "problem"), [(0, "not an index file"), (30, "header"), (9, "bytes of")])
def test_a_file_with_a_wrong_byte_at_its_head_is_refused(file: Path, at: int, problem: str) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 0x40
    put(file, content)
    with pytest.raises(Broken, match=problem):
        mapped.read(file, "one")


def test_a_file_of_another_content_is_refused(file: Path) -> None:
    with pytest.raises(Broken, match="another"):
        mapped.read(file, "two")


def test_an_open_file_stays_readable_when_it_is_replaced_and_removed(file: Path) -> None:
    before = mapped.read(file, "one")
    mapped.write(file, {"numbers": np.zeros(3)}, "two")
    file.unlink()
    assert int(before["numbers"][999]) == 999


def test_a_full_disk_leaves_the_old_file_and_nothing_else(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no room"):
        mapped.write(file, {"numbers": np.zeros(3)}, "two")
    assert [p.name for p in file.parent.iterdir()] == ["a.index"]
    assert int(mapped.read(file, "one")["numbers"][999]) == 999


def test_a_writer_killed_in_the_middle_leaves_the_old_file(file: Path) -> None:
    program = (
        "import os, signal, sys; import numpy as np; from pathlib import Path; from geo.geocode import mapped\n"
        "class Deadly(dict):\n"
        "    def values(self):\n"
        "        yield np.zeros(9); os.kill(os.getpid(), signal.SIGKILL)\n"
        "mapped.write(Path(sys.argv[1]), Deadly(a=np.zeros(9), b=np.zeros(9)), 'two')\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(file)], check=False)
    assert killed.returncode == -9
    assert len(list(file.parent.glob(f".*{mapped.PART}"))) == 1
    assert int(mapped.read(file, "one")["numbers"][999]) == 999
