"""The line with which a run warns of this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.build_pages import HOW_TO_BUILD, REPORT_PAGE
from harness.doctor.read_machine import read_quickly
from harness.doctor.registry import warning


def warn_of_machine(say: Callable[[str], None], out: Path | None) -> None:
    """Says what of this machine may make calls late, or a report incomplete; takes some ms, and watches nothing.

    Args:
        say: Prints a line, unless the run is quiet.
        out: The run's folder.
    """
    told = warning(read_quickly(out))
    if told is not None:
        say(told)
    if REPORT_PAGE.is_stale:
        say(f"warning: report.html may lack sections: its page is older than its sources. {HOW_TO_BUILD}")
