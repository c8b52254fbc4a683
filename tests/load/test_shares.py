"""How a load is divided among its workers."""

from __future__ import annotations

import pytest

from harness.load.order import LoadPlan
from harness.load.shares import shards_in_all, shards_of, share


def test_every_thing_belongs_to_one_worker() -> None:
    assert [share(7, worker=worker, workers=3) for worker in (1, 2, 3)] == [3, 2, 2]
    assert [share(1, worker=worker, workers=3) for worker in (1, 2, 3)] == [1, 0, 0]


@pytest.mark.parametrize(
    ("plan", "workers", "shards"),
    [
        (LoadPlan(slots=100), 1, 2),
        (LoadPlan(slots=100), 2, 2),
        (LoadPlan(rate_per_min=30, duration_s=60), 3, 3),
        # Canaries have shards of their own, and they ask for sessions as well.
        (LoadPlan(slots=100, canaries=1), 2, 3),
        (LoadPlan(slots=100, canaries=20), 2, 6),
    ],
)
def test_all_shards_share_the_session_rate(plan: LoadPlan, workers: int, shards: int) -> None:
    assert shards_in_all(plan, "light", scenarios=1, workers=workers) == shards


def test_a_worker_begins_shards_of_both_engines_where_it_has_canaries() -> None:
    plan = LoadPlan(slots=100, canaries=1)
    assert shards_of(plan, "light", scenarios=1, worker=1, workers=2) == {"light": 1, "sdk": 1}
    assert shards_of(plan, "light", scenarios=1, worker=2, workers=2) == {"light": 1}
