"""Files written by a background thread: a briefly slow disk must not delay packets.

Data reaches the file in order and within `EVERY_S`, or at `close`. Many small writes are merged into one.
"""

from __future__ import annotations

import errno
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from harness.machine.own_work import OWN_WORK

EVERY_S = 0.05  # each wake-up of the thread takes the GIL from the event loop for a moment
MOST_BEHIND_BYTES = 128 * 1024 * 1024


class BackgroundFile:
    """A file that is created and written in the background. A later `write`, or `close`, raises its errors.

    Args:
        path: The file; an existing one is replaced.
        opened: Called with the open file, in the writer's thread.
        encoding: The text encoding; None for bytes.
    """

    def __init__(self, path: Path, *, opened: Callable[[IO[Any]], None] | None = None, encoding: str | None = None):
        self._path = path
        self._opened = opened
        self._encoding = encoding
        self._file: IO[Any] | None = None
        self._waiting: deque[Any] = deque()
        self._problem: OSError | None = None
        self._closing = False
        self._closed = threading.Event()
        _WRITER.want(self)

    def write(self, data: Any) -> None:
        """Queues bytes or, with an encoding, text.

        Raises:
            OSError: An earlier write failed, or the disk is too far behind.
        """
        self._raise()
        self._waiting.append(data)
        if _WRITER.is_behind(len(data)):
            self._problem = OSError(errno.EAGAIN, "the disk takes less than is written")
        _WRITER.want(self)

    def flush(self) -> None:
        """Does nothing: the thread flushes after each write."""

    def close(self) -> None:
        """Waits until everything is written; blocks, so not for the event loop. Idempotent.

        Raises:
            OSError: A write failed.
        """
        if not self._closing:
            self._closing = True
            _WRITER.want(self, at_once=True)
        self._closed.wait()
        self._raise()

    def _raise(self) -> None:
        if self._problem is not None:
            raise OSError(self._problem.errno, self._problem.strerror)

    def take(self) -> int:
        """Writes what is queued, and closes the file if requested; returns its size. Called by the writer's thread."""
        closing = self._closing
        pieces = []
        while self._waiting:
            pieces.append(self._waiting.popleft())
        try:
            if self._problem is None:
                self._write(pieces)
        except OSError as problem:
            self._problem = problem
        if closing:
            with suppress(OSError):
                self._close()
            self._closed.set()
        return sum(map(len, pieces))

    def _write(self, pieces: list[Any]) -> None:
        if self._file is None:
            mode = "wb" if self._encoding is None else "w"
            self._file = self._path.open(mode, encoding=self._encoding)
            if self._opened is not None:
                self._opened(self._file)
        if pieces:
            with OWN_WORK.doing("disk"):
                self._file.write((b"" if self._encoding is None else "").join(pieces))
                self._file.flush()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()


class _Writer:
    """The thread that writes all background files; started with the first of them."""

    def __init__(self) -> None:
        self._files: dict[BackgroundFile, None] = {}
        self._wanted = threading.Event()
        self._at_once = threading.Event()
        self._thread: threading.Thread | None = None
        self._taken_in = self._written = 0  # bytes, or characters of text; each is modified by one thread only

    def want(self, file: BackgroundFile, *, at_once: bool = False) -> None:
        """Has the file's queue written, soon or at once."""
        self._files[file] = None
        if at_once:
            self._at_once.set()
        if not self._wanted.is_set():
            self._wanted.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="files", daemon=True)
            self._thread.start()

    def is_behind(self, more: int) -> bool:
        """Adds `more` to the backlog; returns whether the disk is too far behind for it."""
        self._taken_in += more
        return self._taken_in - self._written > MOST_BEHIND_BYTES

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._at_once.wait(EVERY_S)
            self._at_once.clear()
            self._wanted.clear()
            while self._files:
                file, _ = self._files.popitem()
                self._written += file.take()


_WRITER = _Writer()
