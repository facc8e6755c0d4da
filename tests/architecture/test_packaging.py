"""The files around the code: what is locked, what a server starts with, what the continuous integration does."""

import json
import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from server.kit.cluster import TUNING
from server.kit.settings import Settings
from server.web import vendor


def _schema(name: str) -> Any:
    folder = files("check_jsonschema") / "builtin_schemas" / "vendor"
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def _yaml(path: Path) -> Any:
    # In YAML 1.1 the word `on` is a truth value; the workflow means the word.
    return yaml.safe_load(re.sub(r"^on:", '"on":', path.read_text(encoding="utf-8"), flags=re.MULTILINE))


def test_the_compose_file_follows_the_compose_rules(root: Path) -> None:
    """Nobody here can start Docker in a test; a misspelt key would be found by the first company that installs us."""
    jsonschema.validate(_yaml(root / "docker-compose.yml"), _schema("compose-spec"))


def test_the_compose_file_sets_only_known_settings(root: Path) -> None:
    """An unknown WAYMARK_ variable is silently ignored: the company believes it has set something."""
    services = _yaml(root / "docker-compose.yml")["services"]
    known = {f"WAYMARK_{name.upper()}" for name in Settings.model_fields}
    for name in ("server", "worker"):
        assert set(services[name]["environment"]) <= known
        assert services[name]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert set(services) == {"database", "server", "worker"}
    assert "healthcheck" in services["database"]
    assert "healthcheck" in services["server"]


def test_the_database_of_the_compose_file_is_set_as_the_measured_one(root: Path) -> None:
    """PostgreSQL's own settings are for a machine of twenty years ago: nobody would see the speed that we tell."""
    command = _yaml(root / "docker-compose.yml")["services"]["database"]["command"]
    assert command == ["postgres", *(f"-c{name}={value}" for name, value in TUNING.items())]


def test_the_compose_file_shows_no_port_to_the_world_by_itself(root: Path) -> None:
    """Docker's ports pass by the machine's firewall: what is opened here is open to everybody."""
    services = _yaml(root / "docker-compose.yml")["services"]
    assert "ports" not in services["database"]
    assert all(port.startswith("${BIND:-127.0.0.1}:") for port in services["server"]["ports"])


def test_the_image_builds_from_files_that_are_there(root: Path) -> None:
    """A COPY of a file that was renamed breaks only the image, weeks later."""
    for line in (root / "Dockerfile").read_text(encoding="utf-8").splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            assert all((root / source).exists() for source in line.split()[1:-1]), line


def test_the_workflow_runs_what_everybody_runs(root: Path) -> None:
    """Two ways to check the same thing drift apart until one is green for nothing."""
    workflow = _yaml(root / ".github/workflows/ci.yml")
    jsonschema.validate(workflow, _schema("github-workflows"))
    assert [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step] == [
        "bash .ci/run"
    ]


def test_the_locked_python_packages_are_those_asked_for(root: Path) -> None:
    """A lock file that is behind lets every machine resolve its own versions, and then only some of them fail."""
    uv = shutil.which("uv") or shutil.which(root / ".uv/bin/uv")
    if uv is None:
        pytest.skip("uv is not on this machine; `make setup` has checked the same with `uv sync --locked`")
    checked = subprocess.run([uv, "lock", "--check", "--offline"], cwd=root, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_the_locked_browser_libraries_are_those_asked_for_and_name_no_registry(root: Path) -> None:
    """A lock file that names one registry's addresses cannot be installed behind a company's mirror."""
    wanted = json.loads((root / "package.json").read_text(encoding="utf-8"))["dependencies"]
    lock = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))
    assert lock["packages"][""]["dependencies"] == wanted
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    assert [name for name, package in lock["packages"].items() if name and "integrity" not in package] == []


def test_the_browser_libraries_load_nothing_from_outside(root: Path) -> None:
    """A font or picture from a foreign server tells it who works here, and is missing without internet."""
    if not vendor.is_current():
        pytest.skip("the browser libraries are not installed; `make setup` does it")
    for sheet in vendor.FOLDER.glob("*.css"):
        links = re.findall(r"""url\(\s*['"]?([^'")]+)""", sheet.read_text(encoding="utf-8"))
        for link in links:
            assert not re.match(r"https?:|//", link), f"{sheet.name} loads {link}"
            if not link.startswith(("data:", "#")):
                assert (vendor.FOLDER / link).is_file(), f"{sheet.name} needs {link}"


def test_every_benchmark_is_run_by_the_command_for_all_of_them(root: Path) -> None:
    """The harm: the phone's figures were measured by hand only, and nobody saw that they had become old."""
    folders = {path.name for path in (root / "benchmarks").iterdir() if path.is_dir() and path.name != "__pycache__"}
    without = {name for name in folders if not (root / "benchmarks" / name / "run.py").is_file()}
    assert without == {"look"}, "`make look` looks at pages; everything else has a run.py"
