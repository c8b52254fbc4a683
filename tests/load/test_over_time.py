"""A load over its time: every slice is of the same length, and nothing is lost when they grow."""

from __future__ import annotations

from harness.load.over_time import MOST_SLICES, OverTime


def test_slices_grow_and_keep_all_that_fell_into_them() -> None:
    over_time = OverTime()
    for second in range(0, 3600, 5):
        over_time.at(float(second)).ttfa_ms.append(float(second))
        over_time.at(float(second)).alive = 1 + second // 1000
    over_time.at(10.0).failures["agent.no_reply"] += 2
    assert over_time.slice_s == 160
    assert len(over_time.slices) == 23 <= MOST_SLICES
    assert [value for each in over_time.slices for value in each.ttfa_ms] == [float(at) for at in range(0, 3600, 5)]
    assert all(
        number * 160 <= value < (number + 1) * 160
        for number, each in enumerate(over_time.slices)
        for value in each.ttfa_ms
    )
    assert over_time.slices[0].failures == {"agent.no_reply": 2}
    assert over_time.slices[-1].alive == 4


def test_percentiles_are_of_the_nearest_rank() -> None:
    found = OverTime().at(0.0)
    found.ttfa_ms += [100.0, 200.0, 2400.0]
    assert (found.ttfa(50), found.ttfa(95)) == (200, 2400)
    assert OverTime().at(0.0).ttfa(95) is None
