"""Memory that is no longer used goes back to the system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.load.give_back import give_back_memory


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_what_is_freed_beneath_what_is_kept_is_given_back() -> None:
    many = [bytes(2000) for _ in range(50_000)]
    keep = many[-1]
    del many
    before_mb = resident_mb()
    give_back_memory()
    assert keep is not None
    assert resident_mb() < before_mb - 50
