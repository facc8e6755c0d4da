"""What a person can set or call says what it does."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.main
from typer.core import TyperGroup

from server.cli import app
from server.kit.settings import Settings


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    yield name, command
    if isinstance(command, TyperGroup):
        context = typer.Context(command)
        for word in command.list_commands(context):
            below = command.get_command(context, word)
            assert below is not None
            yield from _commands(below, f"{name} {word}")


COMMANDS = dict(_commands(typer.main.get_command(app), "waymark"))


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_is(name: str) -> None:
    """A setting without a word is one that nobody dares to change; the description is its only documentation."""
    assert (Settings.model_fields[name].description or "").endswith(".")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name: str) -> None:
    """Somebody on a server at night has `--help` and nothing else."""
    command = COMMANDS[name]
    assert command.help or command.short_help
    silent = [
        parameter.name
        for parameter in command.params
        if not getattr(parameter, "help", None) and parameter.name != "help"
    ]
    assert silent == []


def test_every_test_and_file_that_the_proofs_name_is_there(root: Path) -> None:
    """The harm: a point of a checklist stays ticked after its test was renamed away."""
    missing = []
    for page in ("docs/security.md", "docs/proofs.md"):
        text = (root / page).read_text(encoding="utf-8")
        for path, name in re.findall(r"`((?:tests|server|mobile)/[\w/.]+)(?:::(\w+))?`", text):
            place = root / path
            if not place.exists() or (name and f"def {name}(" not in place.read_text(encoding="utf-8")):
                missing.append(f"{page}: {path}::{name}")
    assert missing == []


def test_every_command_of_make_that_a_document_names_is_there(root: Path) -> None:
    """The harm: a checklist that nobody can run."""
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        word
        for page in ("README.md", "docs/proofs.md", "mobile/README.md")
        for word in re.findall(r"`(?:[A-Z]+=\S+ )*make ([a-z-]+)", (root / page).read_text(encoding="utf-8"))
    }
    assert named <= targets
