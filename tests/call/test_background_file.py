"""Files that a thread writes: all of it, in order, and a disk that refuses is told of."""

from __future__ import annotations

import errno
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from harness.call import background_file
from harness.call.background_file import BackgroundFile


def until(path: Path, text: str) -> None:
    while not path.exists() or path.read_text(encoding="utf-8") != text:
        pass


def test_what_is_written_is_in_the_file_soon_and_whole_when_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    file = BackgroundFile(path, encoding="utf-8")
    file.write("one \u00e9\n")
    until(path, "one \u00e9\n")  # a process that is killed now has left it
    for number in range(10_000):
        file.write(f"{number}\n")
    file.close()
    assert path.read_text(encoding="utf-8") == "one \u00e9\n" + "".join(f"{number}\n" for number in range(10_000))
    file.close()


def test_a_file_of_which_nothing_was_written_is_there(tmp_path: Path) -> None:
    BackgroundFile(tmp_path / "a").close()
    assert (tmp_path / "a").read_bytes() == b""


def test_a_disk_that_is_stopped_keeps_no_writer_waiting(tmp_path: Path) -> None:
    goes_on = threading.Event()

    def opened(_: Any) -> None:
        goes_on.wait()  # as a disk does that is busy with something else

    file, other = BackgroundFile(tmp_path / "a", opened=opened), BackgroundFile(tmp_path / "b")
    began = time.monotonic()
    for _ in range(1000):
        file.write(b"0123456789")
        other.write(b"0123456789")
    assert time.monotonic() - began < 1
    goes_on.set()
    file.close()
    other.close()
    assert (tmp_path / "a").stat().st_size == (tmp_path / "b").stat().st_size == 10_000


def test_a_disk_that_refuses_is_told_of_at_a_later_write_or_at_the_end(tmp_path: Path) -> None:
    file = BackgroundFile(Path("/dev/full"))
    file.write(b"x")
    with pytest.raises(OSError, match="No space left") as full:
        file.close()
    assert full.value.errno == errno.ENOSPC
    with pytest.raises(OSError, match="No space left"):
        file.write(b"y")
    with pytest.raises(OSError, match="No such file"):
        BackgroundFile(tmp_path / "no" / "folder").close()


def test_a_disk_that_is_far_behind_takes_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_file, "MOST_BEHIND_BYTES", 1_000_000)
    goes_on = threading.Event()

    def opened(_: Any) -> None:
        goes_on.wait()

    file = BackgroundFile(tmp_path / "a", opened=opened)
    for _ in range(11):
        file.write(bytes(100_000))
    with pytest.raises(OSError, match="the disk takes less than is written"):
        file.write(b"more")
    goes_on.set()
