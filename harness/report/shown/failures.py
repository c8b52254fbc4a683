"""The expectations that failed in a run, grouped by where they are written. Failures by kind: `report/hints.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.formats import Recorded
from harness.record.result import CallResult, ExpectationResult, counted_calls
from harness.report.hints import commonest


class FailedExpectation(Recorded):
    """An expectation of a scenario that failed in some calls.

    Attributes:
        turn: The turn that it belongs to; None for the greeting and the waits.
        failed: In how many calls it failed,
        judged: of how many in which it was decided.
        why: The commonest explanation.
        calls: The ids of the calls in which it failed.
    """

    scenario: str
    turn: int | None
    expect: str
    limit: str
    place: str
    failed: int
    judged: int
    why: str
    calls: list[str]


@dataclass
class _Found:
    judged: set[str] = field(default_factory=set)
    failed: dict[str, ExpectationResult] = field(default_factory=dict)  # by call


def failed_expectations(calls: Sequence[CallResult]) -> list[FailedExpectation]:
    """The expectations that failed in at least one call that counts, the most frequent first."""
    found: dict[tuple[str, int | None, str, str, str], _Found] = {}
    for call in counted_calls(calls):
        if call.cut:
            continue
        for turn, result in call.expectations():
            if result.outcome == "undecided":
                continue
            key = (call.scenario, turn, result.expect, result.limit, result.place)
            here = found.setdefault(key, _Found())
            here.judged.add(call.call)
            if result.outcome == "failed":
                here.failed[call.call] = result
    shown = [
        FailedExpectation(
            scenario=scenario,
            turn=turn,
            expect=expect,
            limit=limit,
            place=place,
            failed=len(here.failed),
            judged=len(here.judged),
            why=commonest([result.why for result in here.failed.values()]),
            calls=list(here.failed),
        )
        for (scenario, turn, expect, limit, place), here in found.items()
        if here.failed
    ]
    return sorted(shown, key=lambda each: -each.failed)
