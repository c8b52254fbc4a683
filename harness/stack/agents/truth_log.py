"""What the agents really heard and sent, one JSON line each, on the monotonic clock.

The harness is checked against it.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import IO, Any

from harness.clock import Clock


class TruthLog:
    """Appends events to a file, each written out at once. Without a path nothing is written.

    A disk that fails ends the log, said once on stderr, never the calls.
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
        """One event of one agent in one room, stamped now (`t`, ns)."""
        if self._file is None:
            return
        line = {"t": self._clock.now_ns(), "room": room, "agent": agent, "event": event, **fields}
        try:
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        except OSError as problem:
            self._give_up(problem)

    def close(self) -> None:
        """Nothing is written after it."""
        if self._file is not None:
            try:
                self._file.close()
            except OSError as problem:
                self._give_up(problem)
            self._file = None

    def _give_up(self, problem: OSError) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # what it still holds is lost as well
                file.close()
        print(f"the truth log cannot be written, the calls go on without it: {problem}", file=sys.stderr, flush=True)  # noqa: T201
