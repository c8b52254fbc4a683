"""The failures of a run by kind, and hints on what to do about them, once per kind rather than once per call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from harness.failures import HINTS
from harness.formats import Recorded
from harness.record.result import CallResult, FailureSeen, standing
from harness.text.counted import counted
from harness.text.plain_text import clipped, one_line

_MOST_HINTS = 3  # of one kind; any more would only differ in the host
_MOST_OF_A_HINT = 500  # characters
_MOST_WORDS = 240  # characters of the description


class FailedKind(Recorded):
    """A kind of failure: how many calls it ended, the commonest description, what to do, and where it occurred."""

    kind: str
    count: int
    what: str
    hints: list[str]
    calls: list[str]


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


def failed_kinds(calls: Sequence[CallResult], counts: Mapping[str, int] | None = None) -> list[FailedKind]:
    """The kinds of failure, the commonest first.

    Args:
        calls: The calls of the run.
        counts: The number of calls of each kind, if the run was judged; otherwise they are counted here.
    """
    found: dict[str, list[tuple[str, FailureSeen]]] = {}
    for call in standing(calls):
        for seen in call.failures:
            found.setdefault(seen.kind, []).append((call.call, seen))
    within = {kind: list(dict.fromkeys(call for call, _ in those)) for kind, those in found.items()}
    if counts is None:
        counts = {kind: len(those) for kind, those in within.items()}
    return [
        FailedKind(
            kind=kind,
            count=count,
            what=commonest([one_line(seen.what) for _, seen in found.get(kind, [])]),
            hints=[
                hint for hint, _ in Counter(hint_of(seen) for _, seen in found.get(kind, [])).most_common(_MOST_HINTS)
            ],
            calls=within.get(kind, []),
        )
        for kind, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def hint_lines(calls: Sequence[CallResult]) -> list[str]:
    """Lines for a terminal: each kind of failure with its number of calls and an example, then its hints."""
    lines = []
    for kind in failed_kinds(calls):
        lines.append(f"{kind.kind} in {counted(kind.count, 'call')}: {clipped(kind.what, _MOST_WORDS)}")
        lines += [f"  hint: {hint}" for hint in kind.hints]
    return lines


def commonest(texts: Sequence[str]) -> str:
    """The most frequent of some texts; empty if there are none."""
    return Counter(texts).most_common(1)[0][0] if texts else ""
