"""How tests are written: none is another's library."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def imports_of(tree: ast.Module) -> Iterator[str]:
    """Every name that is imported, with that of its module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{alias.name}" for alias in node.names)


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(TESTS.rglob("*.py")):
        yield path.relative_to(TESTS).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def test_no_test_file_is_a_library_of_another() -> None:
    borrowed = [
        f"{name} imports {imported}"
        for name, tree in modules()
        for imported in imports_of(tree)
        if any(part.startswith("test_") for part in imported.split("."))
    ]
    assert not borrowed, "move what is shared to a module of its own, named after what it holds"


@pytest.mark.parametrize(
    ("code", "imported"),
    [
        ("import tests.load.test_board", "tests.load.test_board"),
        ("from tests.load import test_board", "tests.load.test_board"),
        ("from .test_board import Load", "test_board.Load"),
        ("def later():\n    from . import test_board", ".test_board"),
    ],
)
def test_every_form_of_import_is_seen(code: str, imported: str) -> None:
    assert list(imports_of(ast.parse(code))) == [imported]
