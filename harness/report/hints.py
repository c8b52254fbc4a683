"""Hints on what to do about the failures of a run, once per kind rather than once per call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.failures import HINTS
from harness.record.result import CallResult, FailureSeen, standing
from harness.text.counted import counted
from harness.text.plain_text import clipped, one_line

_MOST_HINTS = 3  # of one kind; any more would only differ in the host
_MOST_OF_A_HINT = 500  # characters
_MOST_WORDS = 240  # characters of the description


def hint_of(seen: FailureSeen) -> str:
    """The hint for a failure; the default of its kind if the run, of an older version, recorded none."""
    return clipped(one_line(seen.hint), _MOST_OF_A_HINT) or HINTS[seen.kind]


def unmeasured_notes(call: CallResult) -> list[str]:
    """A line for each turn that is left out of the metrics, with why."""
    return [
        f"turn {turn.turn} is left out of the metrics: {'; '.join(map(str, [*turn.unfit_why, *turn.doubtful]))}"
        for turn in call.turns
        if not turn.sure and not turn.cut
    ]


def hint_lines(calls: Sequence[CallResult]) -> list[str]:
    """Lines for a terminal: each kind of failure with its number of calls and an example, then its hints."""
    failed_by: dict[str, set[str]] = {}
    found: dict[str, list[FailureSeen]] = {}
    for call in standing(calls):
        for seen in call.failures:
            failed_by.setdefault(seen.kind, set()).add(call.call)
            found.setdefault(seen.kind, []).append(seen)
    lines = []
    for kind, those in sorted(found.items(), key=lambda item: (-len(failed_by[item[0]]), item[0])):
        what = Counter(one_line(seen.what) for seen in those).most_common(1)[0][0]
        lines.append(f"{kind} in {counted(len(failed_by[kind]), 'call')}: {clipped(what, _MOST_WORDS)}")
        lines += [f"  hint: {hint}" for hint, _ in Counter(map(hint_of, those)).most_common(_MOST_HINTS)]
    return lines
