"""The scenarios that come with the package, found by their names from any folder."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped_scenarios() -> dict[str, Path]:
    """Their files by name; in an installed package they lie inside it, in a checkout beside it."""
    installed = _PACKAGE / "_scenarios"
    folder = installed if installed.is_dir() else _PACKAGE.parent / "scenarios"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
