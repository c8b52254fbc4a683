"""Pass rates in words: how many of the calls passed, between which bounds that puts the rate, and if that is enough."""

from __future__ import annotations

from collections.abc import Iterable

from harness.formats import Recorded
from harness.record.summary import PATTERNS, PassRateResult, Summary
from harness.report.numbers import MISSING
from harness.report.shown.state import State
from harness.text.counted import counted
from harness.text.plain_text import one_line

_SHOWN_WITHOUT_LIMIT = 10


def passed_of(result: PassRateResult) -> str:
    """`7 of 10 calls`."""
    return f"{result.passed:,} of {counted(result.decided, 'call')}"


def interval(result: PassRateResult) -> str:
    """`40 to 89 %`: the 95 % interval of the pass rate."""
    if result.low is None or result.high is None:
        return MISSING
    return f"{100 * result.low:.0f} to {100 * result.high:.0f}\N{NO-BREAK SPACE}%"


def in_words(result: PassRateResult) -> str:
    """`7 of 10 calls passed (95 % interval: 40 to 89 %), 9/10 is needed; sometimes passes`."""
    parts = [f"{passed_of(result)} passed"]
    if result.low is not None:
        parts[0] += f" (95\N{NO-BREAK SPACE}% interval: {interval(result)})"
    if result.bound is not None:
        parts.append(f"the lower bound is {result.bound:.3f}")
    if result.limit is not None:
        parts.append(f"needed: {result.limit}")
    if result.undecided:
        parts.append(f"{counted(result.undecided, 'call')} undecided")
    if result.pattern is not None:
        parts.append(PATTERNS[result.pattern])
    return ", ".join(parts)


def pass_rate_lines(summary: Summary) -> list[str]:
    """Lines for a terminal: each pass rate with a limit, then the first ones without."""
    lines = []
    for result in summary.pass_rates:
        if result.limit is not None:
            state = "ok" if result.ok else "FAILED" if result.ok is False else f"undecided ({result.why})"
            lines.append(f"pass rate of {one_line(result.name)}: {in_words(result)}: {state}")
    others = [result for result in summary.pass_rates if result.limit is None]
    lines += [f"{one_line(result.name)}: {in_words(result)}" for result in others[:_SHOWN_WITHOUT_LIMIT]]
    if len(others) > _SHOWN_WITHOUT_LIMIT:
        lines.append(f"… and {len(others) - _SHOWN_WITHOUT_LIMIT} more of these, see the report")
    return lines


class PassRateRow(Recorded):
    """A pass rate, formatted for the report."""

    state: State
    name: str
    needed: str
    passed: str
    interval: str
    undecided: str
    why: str
    place: str


def pass_rate_rows(summary: Summary | None) -> Iterable[PassRateRow]:
    """The rows of the report's table."""
    for result in summary.pass_rates if summary is not None else ():
        needed = MISSING if result.limit is None else result.limit
        if result.bound is not None:
            needed += f" (lower bound {result.bound:.3f})"
        yield PassRateRow(
            state=_state(result),
            name=one_line(result.name),
            needed=needed,
            passed=passed_of(result),
            interval=interval(result),
            undecided=f"{result.undecided:,}",
            why=result.why,
            place=one_line(result.place),
        )


def _state(result: PassRateResult) -> State:
    if result.limit is not None and result.ok is None:
        return State(sign="?", words="undecided", tone="warn")
    if result.ok:
        return State(sign="✓", words="passes often enough" if result.pattern else "passes", tone="ok")
    if result.pattern == "flicker":
        return State(sign="≈", words=PATTERNS["flicker"], tone="warn" if result.limit is None else "bad")
    return State(sign="✗", words=PATTERNS["failure"] if result.passed == 0 else "too seldom", tone="bad")
