"""The result of a check, and the document of `doctor --json`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from harness.doctor.facts import Facts
from harness.formats import Recorded

# ok; it may spoil a measurement; something is not there; it could not be read.
Status = Literal["ok", "risk", "missing", "unknown"]
NeededFor = Literal["calls", "embedded", "nothing"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found.

    Attributes:
        status: The judgement.
        value: What was found, for people.
        mend: How to mend it, a command where there is one; empty if there is nothing to mend.
        warns: Whether a run warns of it too.
    """

    status: Status
    value: str
    mend: str = ""
    warns: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check.

    Attributes:
        name: Its name.
        effect: What it does to a measurement.
        limit: When it is a risk or missing, and where that limit comes from; for the documentation.
        judge: The judgement, a pure function.
        needed_for: What is impossible if what it looks for is missing: any call, the embedded stack, or no call.
    """

    name: str
    effect: str
    limit: str
    judge: Callable[[Facts], Outcome]
    needed_for: NeededFor = "calls"


class Finding(Recorded):
    """The outcome of one check.

    Attributes:
        check: The name of the check.
        status: The judgement.
        value: What was found.
        effect: What it does to a measurement.
        mend: How to mend it; empty if there is nothing to mend.
        needed: Whether calls are impossible without it; if so and it is missing, the exit code is 3.
    """

    check: str
    status: Status
    value: str
    effect: str
    mend: str = ""
    needed: bool = False


class Diagnosis(Recorded):
    """The document of `doctor --json`.

    Attributes:
        version: The version of the format.
        harness_version: The version of voice-harness.
        system: `linux` or `darwin`.
        embedded: Whether what the embedded stack needs counts as needed.
        findings: The outcome of each check, in the order of the table.
        exit_code: 3 if something needed is missing, else 0.
    """

    version: Literal[1] = 1
    harness_version: str
    system: str
    embedded: bool
    findings: list[Finding]
    exit_code: int


def not_told(facts: Facts) -> Outcome:
    """The outcome if the system does not report what a check looks for."""
    return Outcome("unknown", "macOS does not report it" if facts.system == "darwin" else "not reported here")


def not_on_mac(what: str) -> Outcome:
    """The outcome for something that macOS does not have."""
    return Outcome("ok", f"macOS has no {what}")
