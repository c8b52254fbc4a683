"""Standard output and error that nothing can break: no character, no reader that goes, no full disk stops a run."""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer

_GONE = (errno.EPIPE, errno.EIO)  # the reader of a pipe; the terminal


class _Patient(io.FileIO):
    """A file descriptor that drops output once its reader is gone or the disk is full.

    Attributes:
        problem: Why output was dropped; None if all was written, or if the reader just closed the pipe (`… | head`).
    """

    def __init__(self, number: int) -> None:
        super().__init__(number, "w", closefd=False)
        self.problem: str | None = None

    def write(self, data: Buffer, /) -> int:
        """Takes all of it, whatever becomes of it."""
        try:
            return super().write(data)
        except OSError as problem:
            if problem.errno not in _GONE:
                self.problem = problem.strerror
            return memoryview(data).nbytes


class Output:
    """The two streams of this process, made patient.

    A character that the terminal's encoding lacks is replaced. Streams that something else has put in place of the
    process's own are left as they are.
    """

    def __init__(self) -> None:
        self._descriptors: list[_Patient] = []
        if sys.stdout is sys.__stdout__:
            sys.stdout = self._patient(sys.stdout)
        if sys.stderr is sys.__stderr__:
            sys.stderr = self._patient(sys.stderr)

    def _patient(self, stream: TextIO | None) -> TextIO:
        if stream is None:  # closed by who started us
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
        """Why output was lost, such as a full disk; None if none was, or the reader closed the pipe."""
        return next((descriptor.problem for descriptor in self._descriptors if descriptor.problem), None)
