"""A run that calls two versions in turns: the other one is not judged, but it has to be called and measured."""

from __future__ import annotations

from harness.errors import EXIT_AGENT, EXIT_INFRASTRUCTURE, EXIT_OK, EXIT_UNFIT
from harness.failures import FailureKind
from harness.judge.thresholds import Threshold
from harness.judge.verdict import judge_run
from harness.metrics.threshold import check_threshold, parse_threshold_option
from harness.record.result import CallResult, ExpectationResult, FailureSeen, TurnResult
from harness.record.summary import Ending, Summary
from harness.timeline.events import Side


def made(
    side: Side, number: int, *, failure: FailureKind | None = None, fit: bool = True, ttfa_ms: float = 500.0
) -> CallResult:
    turns = [] if failure else [TurnResult(turn=1, kind="type", text="x", ttfa_ms=ttfa_ms, fit=fit)]
    return CallResult(
        call=f"{side}-{number}",
        scenario="a",
        started="",
        side=side,
        block=number,
        ok=failure is None,
        failure=failure,
        failures=[FailureSeen(kind=failure, what="x", ended=True)] if failure else [],
        turns=turns,
    )


def judged(*calls: CallResult, thresholds: tuple[str, ...] = (), dropped: int = 0) -> Summary:
    limits = [Threshold(*check_threshold(*parse_threshold_option(text)), "--threshold") for text in thresholds]
    return judge_run(calls, limits, target="t", ending=Ending(dropped=dropped), other="agent v1")


def reasons(summary: Summary) -> list[str]:
    return [str(reason.what) for reason in summary.reasons]


def test_the_other_versions_calls_are_in_no_number() -> None:
    slow = [made("baseline", number, ttfa_ms=9000) for number in range(3)]
    summary = judged(*slow, *(made("run", number) for number in range(3)), thresholds=("turn.ttfa: max<1s",))
    assert summary.exit_code == EXIT_OK
    assert summary.calls.total == 3
    assert summary.metrics["turn.ttfa"].count == 3


def test_calls_that_could_not_start_are_a_share_of_those_of_both_versions() -> None:
    both = [made(side, number) for number in range(50) for side in ("baseline", "run")]
    assert judged(*both, dropped=1).exit_code == EXIT_OK
    assert reasons(judged(*both, dropped=2)) == ["2 of 102 calls could not start"]


def test_what_the_other_versions_agent_does_wrong_fails_no_run() -> None:
    failed = made("baseline", 0, failure="agent.no_reply")
    wrong = made("baseline", 1)
    wrong.turns[0].expectations.append(ExpectationResult(expect="ttfa", limit="<1s", outcome="failed"))
    assert judged(failed, wrong, made("run", 0), made("run", 1)).exit_code == EXIT_OK


def test_another_version_that_cannot_be_called_is_infrastructure_and_is_named() -> None:
    summary = judged(*(made("baseline", number, failure="session.rejected") for number in range(2)), made("run", 0))
    assert summary.exit_code == EXIT_INFRASTRUCTURE
    assert reasons(summary) == ["agent v1, to compare with: session.rejected"]
    assert summary.failures == {}


def test_another_version_of_which_no_call_was_made_is_infrastructure() -> None:
    assert reasons(judged(made("run", 0))) == ["agent v1, to compare with: no call could start"]


def test_a_threshold_excuses_the_other_versions_failures_as_it_does_the_runs() -> None:
    calls = [made("baseline", number) for number in range(9)] + [made("run", number) for number in range(10)]
    failed = made("baseline", 9, failure="session.unreachable")
    assert judged(*calls, failed).exit_code == EXIT_INFRASTRUCTURE
    assert judged(*calls, failed, thresholds=("calls.failed: rate<=10%",)).exit_code == EXIT_OK


def test_another_version_that_was_measured_late_makes_the_run_unfit() -> None:
    summary = judged(*(made("baseline", number, fit=False) for number in range(2)), made("run", 0), made("run", 1))
    assert summary.exit_code == EXIT_UNFIT
    assert reasons(summary)[0].startswith("agent v1, to compare with: do not trust this run: 2 of 2 turns")


def test_the_run_itself_is_judged_as_ever() -> None:
    failed = made("run", 0, failure="agent.no_reply")
    assert judged(failed, made("baseline", 0)).exit_code == EXIT_AGENT
