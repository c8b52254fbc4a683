"""Onsets and ends of placed speech, found by the harness's detector and by others in the same audio.

Labels come from how the audio was made (`harness/calibrate/placed_speech.py`), never from a detector. The figures go to
`reports/bench/latest.json` under "onset"; nothing fails here but what cannot be measured.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from detectors import Detector, all_detectors
from human_speech import CREDIT
from latest import record
from rich.console import Console
from rich.table import Table
from speech_conditions import (
    ALONE_S,
    OTHER,
    QUIET_DBFS,
    RATE,
    SEED,
    USUAL,
    USUAL_DBFS,
    Condition,
    Voices,
    all_voices,
    heard,
)

from harness.calibrate.placed_speech import EdgeErrors, PlacedSpeech, error_ms, place

GAPS_S = (0.8, 1.4)
SLOW = {"silero"}  # it hears a tenth of the noise alone
SLOW_SHARE = 10
GOAL_NOISE_DBFS = -50.0


def noisy(*kinds: str) -> list[Condition]:
    return [condition for condition in USUAL if condition.noise in kinds]


def other(*kinds: str) -> list[Condition]:
    return [condition for condition in OTHER if condition.kind in kinds]


@pytest.mark.parametrize("kinds", [("none", "white"), ("pink",), ("hum", "babble")], ids=" ".join)
def test_onsets_in_noise(kinds: tuple[str, ...]) -> None:
    measure_all(f"in noise: {' '.join(kinds)}", noisy(*kinds), all_voices(USUAL_DBFS), alone_s=ALONE_S)


def test_onsets_of_coded_speech_and_with_an_offset() -> None:
    measure_all("opus, offset", other("opus", "offset"), all_voices(USUAL_DBFS), alone_s=0)


def test_onsets_on_the_telephone() -> None:
    measure_all("telephone", other("telephone"), all_voices(USUAL_DBFS, telephone=True), alone_s=0)


def test_onsets_of_quiet_speech() -> None:
    measure_all("quiet", other("quiet"), all_voices(QUIET_DBFS), alone_s=0)


def measure_all(part: str, conditions: list[Condition], voices: Voices, *, alone_s: float) -> None:
    detectors = all_detectors()
    speech = place(voices.waves, GAPS_S, np.random.default_rng(SEED))
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in detectors}
    pooled = {name: EdgeErrors() for name in detectors}
    for condition in conditions:
        for name, detector in detectors.items():
            errors = EdgeErrors()
            seconds = cpu_s = 0.0
            for placed in (speech, silence(alone_s / (SLOW_SHARE if name in SLOW else 1))):
                if placed.clean.size and (placed.spans or condition.noise_dbfs is not None):
                    cpu_s += hear(detector, placed, condition, voices, errors)
                    seconds += placed.clean.size / RATE
            rows[name].append(named(condition) | figures(errors) | {"cpu_ms_per_s": round(1000 * cpu_s / seconds, 2)})
            if condition.noise_dbfs is None or condition.noise_dbfs <= GOAL_NOISE_DBFS:
                pool(pooled[name], errors)
    show(part, rows, pooled, voices, speech)
    for name in detectors:
        record("onset", {name: {part: {"to_goal_noise": figures(pooled[name]), "conditions": rows[name]}}})


def silence(seconds: float) -> PlacedSpeech:
    return PlacedSpeech(np.zeros(round(seconds * RATE), np.float32), ())


def hear(detector: Detector, placed: PlacedSpeech, condition: Condition, voices: Voices, errors: EdgeErrors) -> float:
    """Adds what a detector finds; the CPU time it took."""
    pcm = heard(placed.clean, condition, voices, np.random.default_rng(SEED))
    began = time.process_time()
    onsets, ends = detector(pcm)
    took = time.process_time() - began
    errors.add(placed, onsets, ends)
    return took


def pool(into: EdgeErrors, errors: EdgeErrors) -> None:
    into.onsets_ms += errors.onsets_ms
    into.ends_ms += errors.ends_ms
    into.missed += errors.missed
    into.false += errors.false
    into.silence_s += errors.silence_s


def named(condition: Condition) -> dict[str, Any]:
    return {"speech": condition.kind, "noise": condition.noise, "noise_dbfs": condition.noise_dbfs}


def figures(errors: EdgeErrors) -> dict[str, Any]:
    return {
        "voices": len(errors.onsets_ms) + errors.missed,
        "missed": errors.missed,
        "median_ms": error_ms(errors.onsets_ms, 50),
        "p95_ms": error_ms(errors.onsets_ms, 95),
        "max_ms": error_ms(errors.onsets_ms, 100),
        "false_per_10min": errors.false_per_10min,
        "ends_missed": len(errors.onsets_ms) + errors.missed - len(errors.ends_ms),
        "end_median_ms": error_ms(errors.ends_ms, 50),
        "end_p95_ms": error_ms(errors.ends_ms, 95),
        "end_max_ms": error_ms(errors.ends_ms, 100),
    }


def show(
    part: str,
    rows: dict[str, list[dict[str, Any]]],
    pooled: dict[str, EdgeErrors],
    voices: Voices,
    speech: PlacedSpeech,
) -> None:
    console = Console(width=130)
    console.print(f"\n{len(speech.spans)} voices, {voices.human} of them people's; {CREDIT}")
    if not voices.human:
        console.print(f"no human speech: {voices.why_none}")
    table = Table(title=f"Onsets and ends, {part}: error in ms, false onsets in 10 minutes, CPU ms a second of audio")
    for column in (
        "speech, noise",
        "detector",
        "missed",
        "p50",
        "p95",
        "max",
        "false",
        "no end",
        "p50",
        "p95",
        "max",
        "CPU",
    ):
        table.add_column(column, justify="left" if column in {"speech, noise", "detector"} else "right")
    count = len(next(iter(rows.values())))
    for index in range(count):
        for name in rows:
            row = rows[name][index]
            level = "" if row["noise_dbfs"] is None else f" {row['noise_dbfs']:g}"
            label = f"{row['speech']}, {row['noise']}{level}" if name == next(iter(rows)) else ""
            table.add_row(label, name, *cells(row), f"{row['cpu_ms_per_s']:.2f}", end_section=name == list(rows)[-1])
    for name, errors in pooled.items():
        table.add_row(
            f"all to {GOAL_NOISE_DBFS:g}" if name == next(iter(rows)) else "", name, *cells(figures(errors)), ""
        )
    console.print(table)


def cells(row: dict[str, Any]) -> list[str]:
    times = ("median_ms", "p95_ms", "max_ms"), ("end_median_ms", "end_p95_ms", "end_max_ms")
    onset, end = (["" if row[key] is None else f"{row[key]:.1f}" for key in keys] for keys in times)
    return [str(row["missed"]), *onset, f"{row['false_per_10min']:.1f}", str(row["ends_missed"]), *end]
