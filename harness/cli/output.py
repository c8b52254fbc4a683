"""Standard output and error that never fail: unencodable characters, closed pipes and full disks stop no run."""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer

_GONE = (errno.EPIPE, errno.EIO)  # the reader of the pipe, or the terminal, is gone


class _Patient(io.FileIO):
    """A file descriptor whose writes never fail; data that cannot be written is dropped.

    Attributes:
        problem: Why data was dropped; None if none was, or if only the reader has gone (`… | head`).
    """

    def __init__(self, number: int) -> None:
        super().__init__(number, "w", closefd=False)
        self.problem: str | None = None

    def write(self, data: Buffer, /) -> int:
        """Writes the data or drops it; always returns its full length in bytes."""
        try:
            return super().write(data)
        except OSError as problem:
            if problem.errno not in _GONE:
                self.problem = problem.strerror
            return memoryview(data).nbytes


class Output:
    """Replaces stdout and stderr of this process by streams that never fail.

    Characters that the encoding lacks are replaced. Streams that other code has already replaced are left alone.
    """

    def __init__(self) -> None:
        self._descriptors: list[_Patient] = []
        if sys.stdout is sys.__stdout__:
            sys.stdout = self._patient(sys.stdout)
        if sys.stderr is sys.__stderr__:
            sys.stderr = self._patient(sys.stderr)

    def _patient(self, stream: TextIO | None) -> TextIO:
        if stream is None:  # closed by the parent process
            return Path(os.devnull).open("w", encoding="utf-8")
        try:
            descriptor = _Patient(stream.fileno())
        except (OSError, ValueError):
            return stream
        self._descriptors.append(descriptor)
        return io.TextIOWrapper(
            io.BufferedWriter(descriptor), encoding=stream.encoding, errors="replace", line_buffering=True
        )

    def problem(self) -> str | None:
        """Returns why output was lost, such as a full disk; None if none was, or only because its reader has gone."""
        return next((descriptor.problem for descriptor in self._descriptors if descriptor.problem), None)
