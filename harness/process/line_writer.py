"""Writes JSON lines in a thread of its own: a briefly slow reader must not delay packets."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from typing import IO, Any

from harness.process.lines import line_of

END_S = 5.0


class LineWriter:
    """Writes lines in order. Once the reader is gone, lines are dropped."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._lines: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="lines", daemon=True)
        self._thread.start()

    def tell(self, message: dict[str, Any]) -> None:
        """Queues a line."""
        self._lines.put(message)

    def close(self) -> None:
        """Returns once everything is written, or the reader is gone."""
        self._lines.put(None)
        self._thread.join(END_S)

    def _write(self) -> None:
        while (message := self._lines.get()) is not None:
            with suppress(OSError, ValueError):
                self._file.write(line_of(message))
                self._file.flush()
