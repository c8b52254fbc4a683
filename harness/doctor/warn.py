"""The line with which a run warns of this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.doctor.read_machine import read_quickly
from harness.doctor.registry import warning


def warn_of_machine(say: Callable[[str], None], out: Path | None) -> None:
    """Says what of this machine may make calls late, if anything; takes some ms, and watches nothing.

    Args:
        say: Prints a line, unless the run is quiet.
        out: The run's folder.
    """
    told = warning(read_quickly(out))
    if told is not None:
        say(told)
