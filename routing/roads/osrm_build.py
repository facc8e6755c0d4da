"""An OpenStreetMap extract made into a road graph, by the builders that the `osrm-bindings` wheel brings along.

Graphs are folders that never change once they are there, named by the extract's hash and the profile. A folder is
built beside its place and renamed when it is whole; `current` is a link that is replaced in one step.
"""

import contextlib
import errno
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

FORMAT = 1
CONTRACTED = "-ch"
"""Ends the name of a contracted graph's folder."""
_NEED_PER_BYTE, _NEED_AT_LEAST = 12, 64 * 1024 * 1024


class Trouble(StrEnum):
    """Why a graph could not be built."""

    BROKEN_EXTRACT = "broken_extract"
    NO_ROADS = "no_roads"
    DISK_FULL = "disk_full"
    OUT_OF_MEMORY = "out_of_memory"
    NO_BUILDER = "no_builder"
    BUILDER_FAILED = "builder_failed"
    TOO_LONG = "too_long"


class GraphError(RuntimeError):
    """A road graph could not be built; nothing was left behind and the previous graph still stands."""

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble


@dataclass(frozen=True)
class Graph:
    """A finished road graph on disk."""

    folder: Path
    """Where it lies; its name is extract hash and profile."""
    algorithm: str
    """`MLD` or `CH`, as `osrm-routed` wants to be told."""
    profile: str
    """`car`, `bicycle` or `foot`."""
    extract_sha256: str
    """Of the extract it was built from."""

    @property
    def data_version(self) -> str:
        """Names data and profile; `osrm-routed` repeats it in each answer."""
        return self.folder.name.removesuffix(CONTRACTED)

    @property
    def key(self) -> str:
        """Names data, profile and algorithm."""
        return f"osrm-{self.algorithm.lower()}-{self.data_version}"

    @property
    def base(self) -> Path:
        """The path that OSRM's programs take: the common beginning of the graph's files."""
        return self.folder / self.algorithm.lower() / "roads.osrm"


def bundled(*parts: str) -> Path:
    """A file or folder that the `osrm-bindings` wheel brings along.

    Raises
    ------
    GraphError
        When the wheel is not installed or lacks it.
    """
    spec = importlib.util.find_spec("osrm")
    for home in (spec and spec.submodule_search_locations) or ():
        path = Path(home, *parts)
        if path.exists():
            return path
    raise GraphError(Trouble.NO_BUILDER, f"{'/'.join(parts)} of the package osrm-bindings is not installed")


def build(extract: Path, root: Path, **options: Any) -> Graph:
    """Build the graph of an extract as `make` does, and make it the current one."""
    graph = make(extract, root, **options)
    point_current_at(graph.folder)
    return graph


def make(
    extract: Path,
    root: Path,
    *,
    sha256: str | None = None,
    profile: str = "car",
    threads: int = 1,
    progress: Callable[[str], None] = lambda _step: None,
) -> Graph:
    """Build the graph of an extract, or find the one already built; the current one stays the current one.

    The work happens in child processes. Building the same extract twice returns at once.

    Parameters
    ----------
    extract : Path
        An `.osm.pbf` file.
    root : Path
        Folder of one region's graphs; made when missing.
    sha256 : str, optional
        Of the extract, when the caller knows it already.
    profile : str
        Name of a profile of OSRM.
    threads : int
        For the builders.
    progress : callable
        Is told the name of each step as it starts.

    Raises
    ------
    GraphError
        With the trouble named; the previous graph still stands.
    FileNotFoundError
        When there is no extract.
    """
    digest = sha256 or _sha256(extract)
    folder = root / f"{digest[:12]}-{profile}"
    graph = read(folder.with_name(folder.name + CONTRACTED)) or read(folder)
    if graph is None:
        lua = bundled("share", "profiles", f"{profile}.lua")
        _check_space(extract, root)
        graph = Graph(folder, "MLD", profile, digest)
        with beside(folder) as unfinished:
            _build_mld(extract, unfinished / "mld", lua, folder.name, threads, progress)
            write_manifest(unfinished, graph)
    return graph


def write_manifest(folder: Path, graph: Graph) -> None:
    """Say what a graph is and how long each of its files is."""
    files = {str(path.relative_to(folder)): path.stat().st_size for path in sorted(folder.glob("*/*"))}
    manifest = {"format": FORMAT, **asdict(graph), "folder": graph.folder.name, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def read(folder: Path) -> Graph | None:
    """The graph in a folder, or nothing when there is none, it is damaged or of another format."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        if manifest["format"] != FORMAT or _damaged_file(folder, manifest):
            return None
        return Graph(folder.resolve(), manifest["algorithm"], manifest["profile"], manifest["extract_sha256"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def damage(folder: Path) -> str:
    """What is wrong with a graph's folder; empty when nothing is, or when there is no graph."""
    if not folder.is_dir():
        return ""
    try:
        found = _damaged_file(folder, json.loads((folder / "manifest.json").read_text()))
    except (OSError, ValueError, AttributeError):
        return "manifest.json cannot be read"
    return f"{found} is missing or has another length than when it was built" if found else ""


def _damaged_file(folder: Path, manifest: dict[str, Any]) -> str:
    for name, size in manifest.get("files", {}).items():
        try:
            if (folder / name).stat().st_size != size:
                return str(name)
        except OSError:
            return str(name)
    return ""


def size_of(folder: Path) -> int:
    """Bytes that a graph takes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def current(root: Path) -> Graph | None:
    """The graph that a region uses now."""
    return read(root / "current")


def remove_others(root: Path, keep: Graph) -> None:
    """Delete a region's graphs except one, and what killed builds left behind."""
    for entry in root.iterdir():
        if entry.is_dir() and not entry.is_symlink() and entry.name != keep.folder.name:
            shutil.rmtree(entry, ignore_errors=True)


def quoted(path: Path | str) -> str:
    """A path as OSRM's programs read it: unquoted, it would end at the first space."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _build_mld(
    extract: Path, folder: Path, lua: Path, data_version: str, threads: int, progress: Callable[[str], None]
) -> None:
    folder.mkdir()
    base = folder / "roads"
    steps = {
        "extract": ["-p", quoted(lua), "-d", data_version, "-o", quoted(base), quoted(extract.resolve())],
        "partition": [quoted(f"{base}.osrm")],
        "customize": [quoted(f"{base}.osrm")],
    }
    for step, arguments in steps.items():
        progress(step)
        _run(step, ["-l", "ERROR", "-t", str(threads), *arguments], extract)
    for suffix in ("cnbg", "cnbg_to_ebg"):
        (folder / f"roads.osrm.{suffix}").unlink(missing_ok=True)


def _run(step: str, arguments: list[str], extract: Path) -> None:
    command = [str(bundled("bin", f"osrm-{step}")), *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        raise diagnosis(step, done.returncode, (done.stdout + done.stderr).decode(errors="replace"), extract)


def diagnosis(step: str, status: int, output: str, extract: Path) -> GraphError:
    """What a builder that stopped meant."""
    said = output.lower()
    last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), f"status {status}")
    if "no space left" in said or "disk quota" in said or -status in (signal.SIGXFSZ, signal.SIGBUS):
        return GraphError(
            Trouble.DISK_FULL, f"The disk is full: the road graph of {extract.name} could not be written."
        )
    if "bad_alloc" in said or -status == signal.SIGKILL:
        return GraphError(Trouble.OUT_OF_MEMORY, f"Not enough memory for the road graph of {extract.name}.")
    if "no edges remaining" in said:
        return GraphError(Trouble.NO_ROADS, f"{extract.name} holds no roads that can be driven.")
    if step == "extract" and ("pbf" in said or "osmium" in said or "protozero" in said):
        return GraphError(Trouble.BROKEN_EXTRACT, f"{extract.name} is not a whole .osm.pbf file ({last}).")
    return GraphError(Trouble.BUILDER_FAILED, f"osrm-{step} stopped on {extract.name}: {last}")


def _check_space(extract: Path, root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    need = max(_NEED_AT_LEAST, _NEED_PER_BYTE * extract.stat().st_size)
    free = shutil.disk_usage(root).free
    if free < need:
        raise GraphError(
            Trouble.DISK_FULL,
            f"The road graph of {extract.name} needs about {need // 2**20} MB in {root}; {free // 2**20} MB are free.",
        )


@contextlib.contextmanager
def beside(folder: Path) -> Iterator[Path]:
    """A folder to build in, put into its place when all went well and cleared away when not."""
    unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder.parent))
    try:
        yield unfinished
        unfinished.chmod(0o755)
        _put(unfinished, folder)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise GraphError(Trouble.DISK_FULL, f"The disk is full: {folder} could not be written.") from error
        raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _put(unfinished: Path, folder: Path) -> None:
    """Somebody else may have built the same graph meanwhile: then theirs stays."""
    try:
        unfinished.rename(folder)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise
        if read(folder) is None:
            shutil.rmtree(folder)
            unfinished.rename(folder)


def point_current_at(folder: Path) -> None:
    """Make a finished graph the one that its region uses, in one step."""
    link = folder.parent / f".current-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(folder.name)
    link.replace(folder.parent / "current")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
