from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from harness.stack.speech.spoken_cache import SpokenCache
from harness.stack.speech.voice_names import voice_name

JOE = voice_name("joe", "en")
PCM = (np.sin(np.arange(4_800) * 0.1) * 3_000).astype(np.int16)


def test_texts_are_kept_apart_by_voice(tmp_path: Path) -> None:
    cache = SpokenCache(tmp_path)
    cache.store("Hello.", JOE, PCM)
    kept = cache.load("Hello.", JOE)
    assert kept is not None
    np.testing.assert_array_equal(kept, PCM)
    assert cache.load("Hello", JOE) is None
    assert cache.load("Hello.", voice_name("espeak", "en")) is None


def test_a_damaged_file_is_removed(tmp_path: Path) -> None:
    cache = SpokenCache(tmp_path)
    cache.store("Hello.", JOE, PCM)
    path = cache.path("Hello.", JOE)
    for damaged in (b"", b"no sound", path.read_bytes()[:300]):
        path.write_bytes(damaged)
        assert cache.load("Hello.", JOE) is None
        assert not path.exists()


def test_the_oldest_go_when_the_cache_is_full(tmp_path: Path) -> None:
    cache = SpokenCache(tmp_path, limit_bytes=1)
    big = SpokenCache(tmp_path)
    for age, text in enumerate(["new", "old"]):
        big.store(text, JOE, PCM)
        os.utime(big.path(text, JOE), (1_000 - age, 1_000 - age))
    size = big.path("new", JOE).stat().st_size
    cache = SpokenCache(tmp_path, limit_bytes=3 * size - 1)
    cache.store("newest", JOE, PCM)
    assert big.load("old", JOE) is None
    assert big.load("newest", JOE) is not None


def test_a_folder_that_cannot_be_written_only_slows(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = SpokenCache(tmp_path / "file")
    cache.store("Hello.", JOE, PCM)
    assert cache.load("Hello.", JOE) is None
    assert not list(tmp_path.glob("*.part"))
