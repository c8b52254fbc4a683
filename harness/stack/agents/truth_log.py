"""What the agents really heard and sent, one JSON line each, on the monotonic clock.

The harness is validated against it.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import IO, Any

from harness.clock import Clock


class TruthLog:
    """Appends events to a file, flushing each one. Without a path it writes nothing.

    A disk error ends the log, reported once on stderr, but not the calls.
    """

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._clock = clock
        self._file: IO[str] | None = None
        if path is not None:
            try:
                self._file = path.open("a", encoding="utf-8", buffering=1)
            except OSError as problem:
                self._give_up(problem)

    def write(self, room: str, agent: str, event: str, **fields: Any) -> None:
        """Writes one event of one agent in one room, with the current time (`t`, ns)."""
        if self._file is None:
            return
        line = {"t": self._clock.now_ns(), "room": room, "agent": agent, "event": event, **fields}
        try:
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        except OSError as problem:
            self._give_up(problem)

    def close(self) -> None:
        """Closes the file; later writes are ignored."""
        if self._file is not None:
            try:
                self._file.close()
            except OSError as problem:
                self._give_up(problem)
            self._file = None

    def _give_up(self, problem: OSError) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # its buffer is lost as well
                file.close()
        print(f"the truth log cannot be written, the calls go on without it: {problem}", file=sys.stderr, flush=True)  # noqa: T201
