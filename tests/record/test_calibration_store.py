"""The newest calibration is stated by later runs: of this machine only, and never in the way of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cache import CACHE_ENV
from harness.record.calibration import Calibration, Machine, Point, RandomDelays
from harness.record.calibration_store import STORE_FILE, keep, newest, stated, this_machine


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_ENV, str(tmp_path / "cache"))


def calibration(machine: Machine) -> Calibration:
    point = Point(
        engine="sdk", kind="typed", calls=1, condition="clean", turns=40, fit=True, offset_ms=8.0, residual_p95_ms=1.5
    )
    return Calibration(
        made="2026-01-01T00:00:00Z",
        harness_version="0.1.0",
        quick=False,
        machine=machine,
        points=[point],
        random=RandomDelays(turns=0),
        onset=[],
    )


def test_the_newest_is_stated() -> None:
    assert newest() is None
    keep(calibration(this_machine()))
    kept = stated(newest())
    assert kept is not None
    assert kept["made"] == "2026-01-01T00:00:00Z"
    assert kept["points"][0]["residual_p95_ms"] == 1.5


def test_another_machines_is_not() -> None:
    keep(calibration(Machine(cpu="another", cores=64)))
    assert newest() is None
    assert stated(None) is None


def test_a_broken_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / STORE_FILE).write_text("{")
    assert newest() is None
