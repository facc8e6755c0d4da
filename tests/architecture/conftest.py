"""What the architecture tests look at."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass
class Source:
    """One Python file of the product."""

    path: Path

    @property
    def name(self) -> str:
        """Path from the repository's root."""
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    def calls(self) -> Iterator[tuple[str, int]]:
        """Each call as written (``session.commit``) with its line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func), node.lineno

    def imports(self) -> Iterator[tuple[str, int]]:
        """Each imported name in full (``fastapi.Depends``) with its line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def _sources(*folders: str) -> list[Source]:
    return [Source(path) for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def server() -> list[Source]:
    """Every module of the server."""
    return _sources("server")


@pytest.fixture(scope="session")
def product() -> list[Source]:
    """Every module of the product."""
    return _sources("server", "geo", "routing", "mobile")


@pytest.fixture(scope="session")
def tests() -> list[Source]:
    """Every test module."""
    return _sources("tests")
