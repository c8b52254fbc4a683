"""The examples of docs/extending.md, run as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def test_each_example_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    page = ROOT / "docs" / "extending.md"
    told = page.read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": "example"}
    examples = list(re.finditer(r"```python\n(.*?)```", told, re.DOTALL))
    assert len(examples) >= 5
    for example in examples:
        line = told[: example.start(1)].count("\n")
        exec(compile("\n" * line + example[1], str(page), "exec"), names)  # noqa: S102 - our own documentation
