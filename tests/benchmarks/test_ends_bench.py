"""Where voices end in unsteady noise: in what is heard of an agent, and in a caller's own file.

Voices are placed at known samples over babble, an office, a street and music. The figures go to
`reports/bench/latest.json` under "ends". Of an agent's, what lies less than 20 dB over the noise is marked where a stop
depends on it; of a file's, `validate` tells each doubtful one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from latest import record
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from speech_conditions import RATE, SEED, USUAL_DBFS, Condition, Noise, Voices, all_voices, heard

from harness.calibrate.placed_speech import FINE, PlacedSpeech, Wave, error_ms, place
from harness.hearing.voice_finder import VoiceFinder
from harness.hearing.voice_place import find_voice
from harness.measure.doubtful_edges import END_OVER_NOISE_DB

GAPS_S = (2.0, 3.0)
LEAD_S, TAIL_S = 0.8, 1.5
LEVELS_DBFS = (-65.0, -60.0, -55.0, -50.0, -45.0, -40.0)
NOISES: tuple[Noise, ...] = ("babble", "office", "street", "music")
GOAL_MS, GOAL_NOISE_DBFS = 40.0, -50.0
FAR_MS = 100.0
LEAST_SURE = 20

Found = Iterator[tuple[float, bool]]
"""How far off each end is, in ms (infinite: it was not found), and whether it is marked."""


def of_an_agent(voices: Voices, noise: Noise, level_dbfs: float) -> Found:
    speech = place(voices.waves, GAPS_S, np.random.default_rng(SEED))
    finder = VoiceFinder()
    edges = finder.feed(over(speech, noise, level_dbfs, voices)) + finder.finish()
    ends = [found for found in edges if found.quality is not None and found.edge.began is not None]
    for start, end in speech.spans:
        own = [each for each in ends if (each.edge.began or 0) < end and each.edge.position > start]
        if not own or own[-1].quality is None:
            yield float("inf"), False
            continue
        margin_db = own[-1].quality.level_dbfs - (own[-1].edge.noise_dbfs or 0.0)
        yield (own[-1].edge.position - end) / FINE, margin_db < END_OVER_NOISE_DB


def of_a_file(voices: Voices, noise: Noise, level_dbfs: float) -> Found:
    for number, wave in enumerate(voices.waves):
        speech = alone(wave)
        where = find_voice(over(speech, noise, level_dbfs, voices, seed=SEED + number), RATE)
        if where is None:
            yield float("inf"), True
        else:
            yield (where.end - speech.spans[0][1]) / FINE, bool(where.doubts)


def alone(wave: Wave) -> PlacedSpeech:
    lead, tail = (np.zeros(round(seconds * RATE), np.float32) for seconds in (LEAD_S, TAIL_S))
    return PlacedSpeech(np.concatenate([lead, wave, tail]), [(lead.size, lead.size + wave.size)])


def over(speech: PlacedSpeech, noise: Noise, level_dbfs: float, voices: Voices, seed: int = SEED) -> NDArray[np.int16]:
    return heard(speech.clean, Condition("usual", noise, level_dbfs), voices, np.random.default_rng(seed))


@pytest.mark.parametrize("side", ["agent", "file"])
def test_ends_in_unsteady_noise(side: str) -> None:
    voices = all_voices(USUAL_DBFS)
    ends = of_an_agent if side == "agent" else of_a_file
    table = Table(title=f"Ends of {len(voices.waves)} voices, {voices.human} of them people's: {side}")
    for column in ("noise", "dBFS", "p50", "p95", "max", "> 100 ms", "marked", "p95 of the others"):
        table.add_column(column, justify="right")
    rows = []
    for noise in NOISES:
        for level_dbfs in LEVELS_DBFS:
            found = list(ends(voices, noise, level_dbfs))
            off_ms = [abs(error) for error, _ in found]
            sure_ms = [abs(error) for error, marked in found if not marked]
            row = {
                "noise": noise,
                "noise_dbfs": level_dbfs,
                "median_ms": error_ms(off_ms, 50),
                "p95_ms": error_ms(off_ms, 95),
                "max_ms": error_ms(off_ms, 100),
                "far": sum(each > FAR_MS for each in off_ms),
                "marked": len(found) - len(sure_ms),
                "p95_unmarked_ms": error_ms(sure_ms, 95) if len(sure_ms) >= LEAST_SURE else None,
            }
            rows.append(row)
            table.add_row(*("" if value is None else str(value) for value in row.values()))
    Console(width=130).print(table)
    record("ends", {side: rows})
    goal = [row for row in rows if row["noise_dbfs"] <= GOAL_NOISE_DBFS]
    assert max(row["p95_unmarked_ms"] or 0.0 for row in goal) <= GOAL_MS
