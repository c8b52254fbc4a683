"""The recording: both sides where they belong on one time line, and nothing left behind, whatever the disk does."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from harness.call.engines.line import Heard
from harness.call.recorder import Recorder, Stand, remove_abandoned
from harness.clock import NS_PER_MS

DiskFullAt = Callable[[int], AbstractContextManager[None]]

START_NS = 9_000_000_000
TEN_MS = 480


def at(position_ms: float) -> int:
    return START_NS + round(position_ms * NS_PER_MS)


def block(value: int, milliseconds: int = 20) -> NDArray[np.int16]:
    return np.full(48 * milliseconds, value, np.int16)


def hear(recorder: Recorder, at_ms: float, samples: NDArray[np.int16], position: int = 0) -> Stand | None:
    return recorder.heard(Heard("TR_1", samples, position, at(at_ms)))


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    made = Recorder(tmp_path / "audio" / "0001-x.wav")
    made.start(START_NS)
    return made


def saved(recorder: Recorder, folder: Path) -> NDArray[np.int16]:
    """(frames, 2): left the caller, right the agent."""
    assert recorder.save()
    assert [path.name for path in (folder / "audio").iterdir()] == ["0001-x.wav"], "nothing else may stay"
    samples, rate = soundfile.read(folder / "audio" / "0001-x.wav", dtype="int16")
    assert rate == 48_000
    return np.asarray(samples)


def test_both_sides_stand_where_they_were_on_the_wire(recorder: Recorder, tmp_path: Path) -> None:
    recorder.sent(at(100), block(1000))
    hear(recorder, 250, block(2000))
    hear(recorder, 270, block(3000))
    samples = saved(recorder, tmp_path)
    assert len(samples) == 290 * 48
    left, right = samples[:, 0], samples[:, 1]
    assert np.flatnonzero(left)[[0, -1]].tolist() == [100 * 48, 120 * 48 - 1]
    assert np.flatnonzero(right == 2000)[[0, -1]].tolist() == [250 * 48, 270 * 48 - 1]
    assert np.flatnonzero(right == 3000)[[0, -1]].tolist() == [270 * 48, 290 * 48 - 1]


def test_jitter_leaves_no_seam_and_a_real_gap_is_silence(recorder: Recorder, tmp_path: Path) -> None:
    hear(recorder, 0, block(1))
    hear(recorder, 24, block(2))  # 4 ms late: it follows at once
    hear(recorder, 100, block(3))
    right = saved(recorder, tmp_path)[:, 1]
    assert right[20 * 48] == 2
    assert (right[40 * 48 : 100 * 48] == 0).all()
    assert right[100 * 48] == 3


def test_what_overlaps_is_not_recorded_twice(recorder: Recorder, tmp_path: Path) -> None:
    hear(recorder, 0, block(1, 100))
    hear(recorder, 60, block(2, 100))
    right = saved(recorder, tmp_path)[:, 1]
    assert len(right) == 160 * 48
    assert (right[: 100 * 48] == 1).all()
    assert (right[100 * 48 :] == 2).all()


def test_lateness_does_not_add_up(recorder: Recorder, tmp_path: Path) -> None:
    for number in range(500):
        hear(recorder, number * 20.1, block(number % 10 + 1))  # a clock that is 0.5 % slow
    right = saved(recorder, tmp_path)[:, 1]
    last = int(np.flatnonzero(right)[-1])
    assert abs(last - (499 * 20.1 + 20) * 48) <= TEN_MS


def test_a_voice_is_not_cut_where_the_time_of_its_stream_wavers(recorder: Recorder, tmp_path: Path) -> None:
    first = hear(recorder, 0, block(1000, 100))
    assert hear(recorder, 60, block(2000, 100), 4800) == first
    assert hear(recorder, 250, block(3000, 100), 9600) == first
    right = saved(recorder, tmp_path)[:, 1]
    assert [int(value) for value in right[::4800]] == [1000, 2000, 3000]


def test_it_is_told_where_the_stream_stands_after_each_move(recorder: Recorder, tmp_path: Path) -> None:
    assert hear(recorder, 100, block(1000, 100), 0) == Stand(0, 4800)
    assert hear(recorder, 205, block(1000, 100), 4800) == Stand(0, 4800)
    assert hear(recorder, 400, block(1000, 100), 9600) == Stand(9600, 400 * 48)
    assert hear(recorder, 460, block(10, 100), 14400) == Stand(14400 + 40 * 48, 500 * 48)
    assert hear(recorder, 560, block(1000, 100), 19200) == Stand(14400 + 40 * 48, 500 * 48)
    right = saved(recorder, tmp_path)[:, 1]
    assert len(right) == 660 * 48


@pytest.mark.parametrize("wavers_ms", [-40, -5, 0, 5, 40])
@pytest.mark.parametrize("inside_ms", [0, 30])
def test_a_voice_that_sets_in_stands_at_its_own_time(
    recorder: Recorder, tmp_path: Path, wavers_ms: float, inside_ms: int
) -> None:
    """However far the quiet before it was off, and wherever in a block it begins; the quiet gives way."""
    position = 0
    for number in range(10):
        hear(recorder, number * 20, block(10), position)
        position += 20 * 48
    begins_ms = 200 + inside_ms + wavers_ms
    samples = np.concatenate([block(10, inside_ms), block(1000, 100)])
    heard = Heard(
        "TR_1", samples, position, at(200), wire_of=lambda sample: at(begins_ms + (sample - position) / 48 - inside_ms)
    )
    stand = recorder.heard(heard)
    assert stand is not None
    assert stand.place_of(position + inside_ms * 48) == begins_ms * 48
    right = saved(recorder, tmp_path)[:, 1]
    assert np.flatnonzero(right == 1000)[[0, -1]].tolist() == [begins_ms * 48, (begins_ms + 100) * 48 - 1]


def test_a_call_that_was_not_recorded_leaves_nothing(tmp_path: Path, recorder: Recorder) -> None:
    hear(recorder, 0, block(1))
    recorder.discard()
    assert list((tmp_path / "audio").iterdir()) == []
    never_started = Recorder(tmp_path / "other" / "x.wav")
    assert hear(never_started, 0, block(1)) is None
    assert not never_started.save()
    assert never_started.broken is None
    assert not (tmp_path / "other").exists()


def test_an_empty_recording_is_a_valid_wav(recorder: Recorder, tmp_path: Path) -> None:
    assert saved(recorder, tmp_path).shape == (0, 2)


def test_a_full_disk_is_told_and_never_raised(recorder: Recorder, tmp_path: Path, disk_full_at: DiskFullAt) -> None:
    with disk_full_at(100_000):
        for number in range(200):
            hear(recorder, number * 20, block(1))
        assert not recorder.save()
    assert recorder.broken is not None
    assert recorder.broken.kind == "harness.disk"
    assert list((tmp_path / "audio").iterdir()) == []


def test_a_disk_that_fills_up_while_the_wav_is_written_leaves_no_half_of_it(
    recorder: Recorder, tmp_path: Path, disk_full_at: DiskFullAt
) -> None:
    with disk_full_at(100_000):
        for number in range(40):
            hear(recorder, number * 20, block(1))  # 77 kB of one side: the stereo file has no room
        assert not recorder.save()
    assert recorder.broken is not None
    assert recorder.broken.what == f"the recording audio/0001-x.wav cannot be written: {os.strerror(errno.EFBIG)}"
    assert recorder.broken.hint == "free space on the disk, or --record none"
    assert list((tmp_path / "audio").iterdir()) == []


def test_a_folder_that_vanishes_is_told_and_never_raised(recorder: Recorder, tmp_path: Path) -> None:
    hear(recorder, 0, block(1))
    shutil.rmtree(tmp_path / "audio")
    assert not recorder.save()
    assert recorder.broken is not None


def test_a_folder_that_cannot_be_made_is_told_and_never_raised(tmp_path: Path) -> None:
    (tmp_path / "audio").write_text("a file", encoding="utf-8")
    recorder = Recorder(tmp_path / "audio" / "x.wav")
    recorder.start(START_NS)
    hear(recorder, 0, block(1))
    assert not recorder.save()
    assert recorder.broken is not None


def test_what_a_killed_process_left_is_removed_and_what_is_being_written_is_not(
    recorder: Recorder, tmp_path: Path
) -> None:
    start = "from pathlib import Path; from harness.call.recorder import Recorder; import os, signal\n"
    start += "Recorder(Path('audio/0002-x.wav')).start(0)\n"
    start += "while len(list(Path('audio').glob('.0002-*'))) < 1: pass\n"
    start += "os.kill(os.getpid(), signal.SIGKILL)"
    subprocess.run([sys.executable, "-c", start], cwd=tmp_path, check=False)
    hear(recorder, 0, block(1))
    while len(list((tmp_path / "audio").glob(".0001-x.*.raw"))) < 2:
        pass  # they are made by a thread
    assert len(list((tmp_path / "audio").glob(".0002-x.*.raw"))) == 1
    remove_abandoned(tmp_path / "audio")
    assert sorted(path.name for path in (tmp_path / "audio").iterdir()) == [".0001-x.left.raw", ".0001-x.right0.raw"]
    assert len(saved(recorder, tmp_path)) == 20 * 48
