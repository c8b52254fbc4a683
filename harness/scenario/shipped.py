"""The scenarios shipped with the package, found by name from any directory."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped_scenarios() -> dict[str, Path]:
    """Their files by name: inside an installed package, or beside it in a checkout."""
    installed = _PACKAGE / "_scenarios"
    folder = installed if installed.is_dir() else _PACKAGE.parent / "scenarios"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
