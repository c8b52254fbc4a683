"""What a test gets of a call: the few numbers and texts that tests assert on, in a form that does not change.

`CallResult`, the line of `calls.jsonl`, follows the format of that file: it has every number, also those that do not
count, and grows with each version. These types are what tests are written against, so they have less, and a number that
does not count is never returned: asking for it raises what is known instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult, ExpectationResult, standing
from harness.record.summary import Verdict
from harness.testing.voice_turn import VoiceGreeting, VoiceTurn, greeting_of, turn_of
from harness.text.plain_text import one_line


@dataclass(frozen=True, slots=True)
class VoiceExpectation:
    """A judged expectation of the scenario.

    Attributes:
        turn: The number of its turn; None for the greeting and for waits.
        expect: Its name in the scenario, such as `ttfa`.
        limit: What was expected, as it is written.
        outcome: `held`, `failed`, or `undecided` if it could not be measured.
        value: What was measured, in ms for times; None if there is no number.
        why: Why it did not hold, as a sentence; empty if it held.
        place: File, line and column.
    """

    turn: int | None
    expect: str
    limit: str
    outcome: Literal["held", "failed", "undecided"]
    value: float | None
    why: str
    place: str

    def __str__(self) -> str:
        where = f"turn {self.turn} " if self.turn is not None else ""
        unit = "" if self.expect == "wer" else " ms"
        value = f"was {self.value:.4g}{unit}" if self.value is not None else ""
        said = self.why or value
        shown = one_line(f"{where}{self.expect} {self.limit}: {self.outcome}" + (f" ({said})" if said else ""))
        return f"{shown}\n  at {one_line(self.place)}" if self.place else shown


@dataclass(frozen=True, slots=True)
class VoiceFailure:
    """A failure in the call.

    Attributes:
        kind: Its kind, such as `agent.no_reply`; docs/failures.md lists them.
        what: What happened.
        hint: What to do about it.
        turn: The number of its turn; None outside of turns.
    """

    kind: str
    what: str
    hint: str
    turn: int | None

    def __str__(self) -> str:
        where = f"turn {self.turn} " if self.turn is not None else ""
        return f"{where}{self.kind}: {one_line(self.what)}" + (f"\n  hint: {one_line(self.hint)}" if self.hint else "")


@dataclass(frozen=True, slots=True)
class VoiceResult:
    """A call that was made and judged.

    Attributes:
        scenario: The scenario's name.
        agent: The id of the agent that was called.
        verdict: `pass` or `fail`; of the result in an exception also `unfit`, `infrastructure` or `interrupted`.
        reasons: Why it did not pass, each a sentence.
        greeting: The agent's greeting; None if there was none, or the call did not wait for it.
        turns: The turns, in order.
        expectations: What the scenario expected, each judged.
        failures: The failures in the call.
        folder: The run directory.
        recording: The recording, caller left and agent right; None if it was not kept.
        call: Everything that is known of the call; its fields grow and change with the format of `calls.jsonl`.
    """

    scenario: str
    agent: str
    verdict: Verdict
    reasons: tuple[str, ...]
    greeting: VoiceGreeting | None
    turns: tuple[VoiceTurn, ...]
    expectations: tuple[VoiceExpectation, ...]
    failures: tuple[VoiceFailure, ...]
    folder: Path
    recording: Path | None
    call: CallResult

    @property
    def passed(self) -> bool:
        """Whether the verdict is `pass`."""
        return self.verdict == "pass"

    @property
    def report(self) -> Path:
        """The report, to open in a browser."""
        return self.folder / "report.html"

    def __repr__(self) -> str:
        return f"<{one_line(self.scenario)}: {self.verdict}, {', '.join(map(repr, self.turns))}>"


def result_of(run: RecordedRun) -> VoiceResult:
    """Returns the result of a run of one scenario, as tests see it: of its last call that counts.

    Raises:
        ValueError: The run has no call, or was not judged.
    """
    calls = standing(run.calls)
    if not calls or run.summary is None:
        raise ValueError(f"{run.folder} holds no judged call")
    call, summary = calls[-1], run.summary
    return VoiceResult(
        scenario=call.scenario,
        agent=call.agent,
        verdict=summary.verdict,
        reasons=tuple(one_line(str(reason.what)) for reason in summary.reasons),
        greeting=None if call.greeting is None else greeting_of(call.greeting),
        turns=tuple(map(turn_of, call.turns)),
        expectations=tuple(_expectation(turn, judged) for turn, judged in call.expectations()),
        failures=tuple(VoiceFailure(seen.kind, seen.what, seen.hint, seen.turn) for seen in call.failures),
        folder=run.folder,
        recording=None if call.recording is None else run.folder / call.recording,
        call=call,
    )


def lines_of(result: VoiceResult) -> Iterator[str]:
    """Yields the result for people: the reasons, the turns, and what did not hold."""
    first, *others = result.reasons or ("",)
    yield f"{one_line(result.scenario)}: {result.verdict}" + (f": {first}" if first else "")
    yield from (f"  and: {reason}" for reason in others)
    yield from (f"  {shown!r}" for shown in (result.greeting, *result.turns) if shown is not None)
    for seen in (*result.failures, *(judged for judged in result.expectations if judged.outcome != "held")):
        yield from (f"  {line}" for line in str(seen).splitlines())


def files_of(result: VoiceResult) -> Iterator[str]:
    """Yields where the report and the recording are."""
    yield f"report: {result.report}"
    if result.recording is not None:
        yield f"recording: {result.recording}"


def _expectation(turn: int | None, judged: ExpectationResult) -> VoiceExpectation:
    return VoiceExpectation(turn, judged.expect, judged.limit, judged.outcome, judged.value, judged.why, judged.place)
