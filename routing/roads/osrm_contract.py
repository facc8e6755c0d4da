"""The slow second half of a graph: contraction, after which big tables are answered about ten times faster.

It can explode on grid cities, so it runs under a time limit in a child process while the graph as it is serves. The
contracted graph is a folder of its own with the same answers; the files that both need are shared by hard links.
"""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from routing.roads.osrm_build import (
    CONTRACTED,
    Graph,
    GraphError,
    Trouble,
    beside,
    bundled,
    diagnosis,
    point_current_at,
    quoted,
    read,
    write_manifest,
)

_ONLY_MLD = frozenset({"cells", "cell_metrics", "mldgr", "partition"})
_ONLY_CONTRACTING = frozenset({"ebg", "enw", "restrictions", "turn_penalties_index"})
_WRITTEN = frozenset({"datasource_names"})
"""The builder opens it for writing, so that it is copied, not linked."""


def contract(graph: Graph, *, limit_s: float, threads: int = 1) -> Graph:
    """Contract a graph and make the result the current one; returns at once when that was done before.

    Parameters
    ----------
    graph : Graph
        A graph as `build` left it; it stays as it is and serves meanwhile.
    limit_s : float
        Seconds after which the builder is stopped.
    threads : int
        For the builder.

    Raises
    ------
    GraphError
        With `TOO_LONG` when the limit was reached, else with what went wrong; the graph still stands.
    """
    if graph.algorithm == "CH":
        return graph
    folder = graph.folder.with_name(graph.folder.name + CONTRACTED)
    contracted = read(folder)
    if contracted is None:
        contracted = replace(graph, folder=folder, algorithm="CH")
        with beside(folder) as unfinished:
            inside = unfinished / "ch"
            inside.mkdir()
            for path in graph.base.parent.iterdir():
                if path.name.removeprefix("roads.osrm.") not in _ONLY_MLD:
                    _share(path, inside / path.name)
            _run(inside / graph.base.name, graph, limit_s, threads)
            for suffix in _ONLY_CONTRACTING:
                (inside / f"roads.osrm.{suffix}").unlink(missing_ok=True)
            write_manifest(unfinished, contracted)
    point_current_at(folder)
    return contracted


def _share(path: Path, target: Path) -> None:
    try:
        if path.name.removeprefix("roads.osrm.") not in _WRITTEN:
            os.link(path, target)
            return
    except OSError:
        pass  # a file system without hard links
    shutil.copyfile(path, target)


def _run(base: Path, graph: Graph, limit_s: float, threads: int) -> None:
    name = graph.data_version
    command = [str(bundled("bin", "osrm-contract")), "-l", "ERROR", "-t", str(threads), quoted(base)]
    try:
        done = subprocess.run(  # noqa: S603 -- our own program and paths
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=limit_s
        )
    except subprocess.TimeoutExpired as error:
        raise GraphError(
            Trouble.TOO_LONG, f"Contracting the road graph {name} was given up after {limit_s:.0f} s."
        ) from error
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace")
        raise diagnosis("contract", done.returncode, said, Path(name))
