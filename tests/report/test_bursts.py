"""What a burst came to, from the moment at which its calls were due."""

from __future__ import annotations

from pathlib import Path

from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult, SinceDue
from harness.report.bursts import burst_lines, bursts, held_back_line
from harness.report.shown.document import shown
from harness.report.shown.headline import about
from tests.report.sample_run import good_call, settings, summary


def member(number: int, size: int, *, asked: float, there: float | None, held: float = 0.0) -> CallResult:
    call = good_call(f"{number:04d}")
    call.call = f"w1-b{size}-{number:04d}-x"
    call.held_back_ms = held
    call.since_due = SinceDue(
        session_asked_ms=10.0, session_answered_ms=asked - held, join_asked_ms=asked, agent_there_ms=there
    )
    call.agent_join_ms = None if there is None else there - asked
    return call


CALLS = [
    member(1, 3, asked=100, there=300),
    member(2, 3, asked=150, there=400, held=40),
    member(3, 3, asked=220, there=None, held=110),
]


def test_a_burst_is_told_from_when_its_calls_were_due_and_says_what_we_held_back() -> None:
    (burst,) = bursts([*CALLS, good_call("0009")])
    assert burst.line == "burst of 3: an agent joined 2 of 3 calls, 0 never, 0 twice"
    told = {row.stage: (row.calls, row.p50_ms, row.last_ms) for row in burst.rows}
    assert told == {
        "session requested": (3, 10, 10),
        "session answered": (3, 110, 110),
        "join requested": (3, 150, 220),
        "agent joined": (2, 300, 400),
        "held back by the harness": (3, 40, 110),
    }
    assert [line.split()[0] for line in burst_lines(CALLS)[1:]] == [
        "since",
        "session",
        "session",
        "join",
        "agent",
        "held",
    ]
    assert bursts([good_call("0009")]) == []


def test_what_was_held_back_is_told_of_all_calls_that_it_held() -> None:
    assert held_back_line([good_call("0009")]) == ""
    assert held_back_line(CALLS).startswith("2 calls of 3, for 40")
    assert "110" in held_back_line(CALLS)


def test_the_report_has_the_bursts_and_what_was_held_back(tmp_path: Path) -> None:
    run = RecordedRun(folder=tmp_path, settings=settings(), calls=CALLS, summary=summary(CALLS))
    found = shown(run, CALLS)
    assert [burst.line for burst in found.bursts] == ["burst of 3: an agent joined 2 of 3 calls, 0 never, 0 twice"]
    assert "held back by the harness" in {fact.name for fact in found.about}
    one = [good_call("0009")]
    run = RecordedRun(folder=tmp_path, settings=settings(), calls=one, summary=summary(one))
    assert shown(run, one).bursts == []
    assert "held back by the harness" not in {fact.name for fact in about(run)}
