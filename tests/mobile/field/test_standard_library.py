"""The phone's logic runs where only Python itself is: nothing but the standard library is imported."""

import ast
import sys
from pathlib import Path

import pytest

import mobile.field

FILES = sorted(Path(mobile.field.__path__[0]).rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_the_standard_library_and_itself_are_imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            assert name.startswith("mobile.field") or name.partition(".")[0] in sys.stdlib_module_names, name
