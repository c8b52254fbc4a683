"""A folder with built pages."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    for name in ("index", "stack"):
        (folder / f"{name}.html").write_text(f"<!doctype html><title>{name}</title>")
    (folder / "assets" / "stack-abc.js").write_text("'script'")
    return folder
