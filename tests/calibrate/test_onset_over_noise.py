"""Onset detection over noise, as `calibrate` tells of it."""

from __future__ import annotations

from harness.calibrate.onset import onset_over_noise


def test_speech_is_found_to_the_millisecond_and_noise_is_no_speech() -> None:
    rows = {(row.noise, row.noise_dbfs): row for row in onset_over_noise(seed=1, quick=True)}
    for where in (("none", None), ("white", -70.0), ("white", -60.0), ("white", -50.0), ("pink", -50.0)):
        row = rows[where]
        assert row.missed == 0
        assert row.false_per_10min == 0
        assert row.median_ms is not None
        assert row.median_ms <= 2
        assert row.p95_ms is not None
        assert row.p95_ms <= 10
    assert all(row.missed == 0 and row.false_per_10min == 0 for row in rows.values())
    assert set(rows) >= {("white", -40.0), ("pink", -40.0)}
