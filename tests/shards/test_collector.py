"""What ended calls leave behind does not pile up, and is not looked for in between."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from harness.shards.collector import EVERY_ENDED, Collector


class Call:
    """It refers to itself, as a call's parts do."""

    def __init__(self) -> None:
        self.myself = self


def left_behind() -> weakref.ref[Call]:
    return weakref.ref(Call())


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


def test_what_calls_left_is_gone_after_a_few_of_them_and_after_the_last() -> None:
    collector = Collector()
    left = []
    for number in range(1, EVERY_ENDED + 1):
        assert all(one() is not None for one in left), "nothing is looked for at each call"
        left.append(left_behind())
        collector.ended(alive=50 - number)
    assert all(one() is None for one in left)
    last = left_behind()
    collector.ended(alive=0)
    assert last() is None
