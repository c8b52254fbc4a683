"""When a threshold aborts a run: after its delay, by enough fit samples, and never by what could not be measured."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from made import call, turn

from harness.errors import Place
from harness.judge.abort import AbortWatch, least_to_abort
from harness.judge.thresholds import Threshold
from harness.metrics.threshold import check_abortable, check_threshold
from harness.parsing.limits import parse_threshold
from harness.record.reason import Aborted
from harness.record.result import CallResult


def watching(name: str, limit: str, calls: Sequence[CallResult] = (), *, delay_s: float | None = 0.0) -> AbortWatch:
    watch = AbortWatch([Threshold(*check_threshold(name, limit), Place("s.yaml", 1, 1), delay_s)])
    for each in calls:
        watch.add(each)
    return watch


def slow(count: int, **values: object) -> list[CallResult]:
    return [call(turn(ttfa_ms=3000.0), **values) for _ in range(count)]


def test_a_percentile_aborts_by_as_many_samples_as_it_is_shown_from() -> None:
    watch = watching("turn.ttfa", "p(95)<2s", slow(19))
    assert watch.broken(60) is None
    watch.add(slow(1)[0])
    found = watch.broken(60)
    assert str(found) == "aborted after 60 s by threshold turn.ttfa p(95)<2s: 3000 ms (20 samples)"
    assert found is not None
    assert Aborted.read(found.told()) == found


def test_before_its_delay_nothing_aborts_and_after_it_what_came_before_counts() -> None:
    watch = watching("turn.ttfa", "max<2s", slow(1), delay_s=30)
    assert watch.broken(29.9) is None
    assert watch.broken(30) is not None


@pytest.mark.parametrize(
    ("limit", "needed"),
    [
        ("p(95)<2s", 20),
        ("p(99)<2s", 100),
        ("p(75)<2s", 4),
        ("med<2s", 1),
        ("avg<2s", 1),
        ("max<2s", 1),
        ("count<5", 1),
        ("rate<1%", 100),
        ("rate<=10%", 10),
        ("rate<=0", 1),
        ("rate>0.75", 4),
        ("rate>=0", 1),
    ],
)
def test_how_many_samples_a_limit_needs_to_abort(limit: str, needed: int) -> None:
    assert least_to_abort(parse_threshold(limit)) == needed


def test_a_share_aborts_once_a_single_case_could_be_within_it() -> None:
    failed = [call(failure="agent.no_reply") for _ in range(9)]
    watch = watching("calls.failed", "rate<=10%", failed)
    assert watch.broken(1) is None
    watch.add(call(turn()))
    assert watch.broken(1) is not None
    assert watching("calls.failed", "count<=8", failed).broken(1) is not None
    assert watching("calls.failed", "count<=9", failed).broken(1) is None


def test_what_could_not_be_measured_and_what_is_in_no_number_aborts_nothing() -> None:
    unsure = [
        *[call(turn(ttfa_ms=3000.0, fit=False)) for _ in range(20)],
        *[call(turn(cut=True, ttfa_ms=None, awaited_ms=9000.0)) for _ in range(20)],
        *slow(20, cut=True, ok=None),
        *slow(20, warm_up=True),
        *slow(20, canary=True),
        *slow(20, retry_of="0001-x"),
    ]
    assert watching("turn.ttfa", "p(95)<2s", unsure).broken(60) is None
    assert watching("turn.ttfa", "max<2s", unsure).broken(60) is None


def test_a_threshold_without_abort_on_fail_and_one_that_holds_abort_nothing() -> None:
    assert watching("turn.ttfa", "max<2s", slow(1), delay_s=None).broken(60) is None
    watch = watching("turn.ttfa", "max<4s", slow(1))
    assert watch.broken(60) is None
    assert watch.broken(61) is None
    watch.add(call(turn(ttfa_ms=5000.0)))
    assert watch.broken(62) is not None


def test_tags_narrow_what_aborts() -> None:
    typed = [call(turn(kind="type", ttfa_ms=3000.0))]
    assert watching("turn.ttfa{kind:say}", "max<2s", typed).broken(1) is None
    assert watching("turn.ttfa{kind:type}", "max<2s", typed).broken(1) is not None


@pytest.mark.parametrize("limit", ["count>5", "count>=1", "count==3", "max>2s", "min<2s"])
def test_what_later_calls_can_still_meet_must_not_abort(limit: str) -> None:
    with pytest.raises(ValueError, match="can still be met by later calls"):
        check_abortable(parse_threshold(limit))


@pytest.mark.parametrize("limit", ["count<5", "max<=2s", "min>-35", "p(95)<2s", "rate<1%", "avg>2s"])
def test_what_stays_missed_may_abort(limit: str) -> None:
    check_abortable(parse_threshold(limit))
