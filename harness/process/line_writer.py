"""Writes JSON lines in a thread of its own: a reader that is slow for a moment must not make packets late."""

from __future__ import annotations

import json
import queue
import threading
from contextlib import suppress
from typing import IO, Any

from pydantic import BaseModel

END_S = 5.0


class LineWriter:
    """Writes in the order in which it was told; what nobody reads any more is dropped."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._lines: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="lines", daemon=True)
        self._thread.start()

    def tell(self, message: dict[str, Any]) -> None:
        """Queues a line."""
        self._lines.put(message)

    def close(self) -> None:
        """Returns when all is written, or is read by nobody."""
        self._lines.put(None)
        self._thread.join(END_S)

    def _write(self) -> None:
        while (message := self._lines.get()) is not None:
            with suppress(OSError, ValueError):
                self._file.write(json.dumps(message, ensure_ascii=False, default=_of_model) + "\n")
                self._file.flush()


def _of_model(value: BaseModel) -> Any:
    return value.model_dump(mode="json")
