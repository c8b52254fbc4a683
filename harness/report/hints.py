"""What a person can do about the failures of a run: told once for each kind, not once for each call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.failures import HINTS
from harness.record.result import CallResult, FailureSeen, standing
from harness.text.counted import counted
from harness.text.plain_text import clipped, one_line

_MOST_HINTS = 3  # of one kind; more would each be of another host
_MOST_WORDS = 240  # characters of what happened


def hint_of(seen: FailureSeen) -> str:
    """What to do about a failure; a run of an older version recorded none."""
    return one_line(seen.hint) or HINTS[seen.kind]


def hint_lines(calls: Sequence[CallResult]) -> list[str]:
    """For a terminal: each kind that occurred, in how many calls, one of its sentences, and beneath it what to do."""
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
