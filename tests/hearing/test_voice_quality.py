"""Level, clipping and dropouts of a voice as it was heard."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.hearing.voice_quality import VoiceMeter, VoiceQuality

RATE = 48_000
NOTHING = np.zeros(RATE // 2, np.int16)


def voice(seconds: float, *, dbfs: float = -20.0) -> NDArray[np.int16]:
    """Harmonics of 140 Hz at this RMS."""
    time = np.arange(round(RATE * seconds)) / RATE
    wave = np.sum([np.sin(2 * np.pi * 140 * k * time + k * k) / k for k in range(1, 20)], axis=0)
    return np.asarray(wave / np.sqrt(np.mean(wave**2)) * 32768 * 10 ** (dbfs / 20))


def quality(*parts: NDArray[np.int16], block: int = 960) -> VoiceQuality:
    """Of what lies between half a second of silence before and after."""
    heard = np.concatenate([NOTHING, *parts, NOTHING]).clip(-32768, 32767).astype(np.int16)
    meter = VoiceMeter()
    start, end = NOTHING.size, heard.size - NOTHING.size
    begun = ended = False
    found = None
    for at in range(0, heard.size, block):
        meter.feed(heard[at : at + block])
        if not begun and at + block >= start + 4000:
            meter.begin(start)
            begun = True
        if not ended and at + block >= end + 10_000:
            found = meter.end(end)
            ended = True
    assert found is not None
    return found


@pytest.mark.parametrize("dbfs", [-50, -30, -12])
def test_the_level_is_the_voices_own_whatever_its_pauses(dbfs: float) -> None:
    pause = np.zeros(RATE // 10)
    found = quality(voice(1, dbfs=dbfs), pause, voice(0.5, dbfs=dbfs), pause, voice(0.7, dbfs=dbfs))
    assert abs(found.level_dbfs - dbfs) <= 0.2
    assert abs(found.active_ms - 2200) <= 30


def test_what_is_16_db_below_the_voice_is_not_active_speech() -> None:
    found = quality(voice(1, dbfs=-20), voice(1, dbfs=-40))
    assert abs(found.level_dbfs + 20) <= 0.2
    assert abs(found.active_ms - 1000) <= 30


@pytest.mark.parametrize("block", [480, 960, 1000, 4800])
def test_blocks_of_any_size_give_the_same(block: int) -> None:
    parts = (voice(0.8, dbfs=-1), np.zeros(RATE // 20), voice(0.5))
    assert quality(*parts, block=block) == quality(*parts, block=480)


def test_a_clean_voice_is_neither_clipped_nor_broken() -> None:
    found = quality(voice(2, dbfs=-20))
    assert (found.clipped, found.dropouts, found.dropout_ms) == (0, 0, 0)


def test_clipping_is_the_share_of_samples_at_full_scale() -> None:
    loud = voice(2, dbfs=0)
    share = float(np.mean(np.abs(loud) >= 32768))
    assert share > 0.05
    assert abs(quality(loud).clipped - share) < 0.02


def test_a_voice_that_only_just_reaches_full_scale_is_not_clipped() -> None:
    peak = voice(2) * (1 + 0.5 * np.sin(2 * np.pi * 3 * np.arange(2 * RATE) / RATE))
    assert quality(peak / np.abs(peak).max() * 32767).clipped < 0.001


def test_a_voice_cut_off_in_the_middle_is_a_dropout() -> None:
    found = quality(voice(0.5), np.zeros(RATE * 60 // 1000), voice(0.5))
    assert (found.dropouts, found.dropout_ms) == (1, 60)


def test_a_pause_into_which_the_voice_fades_is_none() -> None:
    faded = voice(0.5) * np.minimum(1, np.linspace(15, 0, RATE // 2))
    assert quality(faded, np.zeros(RATE * 60 // 1000), voice(0.5)).dropouts == 0


def test_a_gap_under_15_ms_is_no_dropout() -> None:
    assert quality(voice(0.5), np.zeros(RATE * 14 // 1000), voice(0.5)).dropouts == 0


def test_the_end_of_a_voice_is_no_dropout_however_sharp() -> None:
    assert quality(voice(0.5), np.zeros(RATE * 60 // 1000)).dropouts == 0


def test_silence_called_a_voice_has_the_lowest_level_and_no_exception() -> None:
    found = quality(np.zeros(RATE))
    assert (found.level_dbfs, found.clipped, found.dropouts) == (-96, 0, 0)
