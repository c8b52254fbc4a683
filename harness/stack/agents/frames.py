"""The frames that agents have sent to their callers, for people who watch a room on the stack's page.

They are kept per room for as long as its agent is there, so that who opens a call in its middle sees it from its
beginning, and reported only for rooms that are watched. Nobody has to be in the room for that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.clock import Clock

MOST_FRAMES = 500
Report = Callable[[str, int, Mapping[str, Any]], None]


class Frames:
    """All rooms of the process.

    Args:
        report: Called with a room that is watched, the frame's number there, from 0, and the frame.
        clock: Tells when a frame was sent.
    """

    def __init__(self, report: Report, clock: Clock) -> None:
        self._report = report
        self._clock = clock
        self._rooms: dict[str, list[Mapping[str, Any]]] = {}
        self._watched: set[str] = set()

    def sent(self, room: str, topic: str, payload: Mapping[str, Any]) -> None:
        """Keeps a frame that was sent just now; of a call with more than `MOST_FRAMES`, the first ones."""
        at_ms = round(self._clock.utc().timestamp() * 1000)
        self.keep(room, {"topic": topic, "at_ms": at_ms, "payload": payload})

    def keep(self, room: str, frame: Mapping[str, Any]) -> None:
        """As `sent`, for a frame that another process has reported."""
        frames = self._rooms.setdefault(room, [])
        if len(frames) < MOST_FRAMES:
            frames.append(frame)
            if room in self._watched:
                self._report(room, len(frames) - 1, frame)

    def watch(self, room: str) -> None:
        """Reports the room's frames: those so far now, and the others as they are sent."""
        self._watched.add(room)
        for number, frame in enumerate(self._rooms.get(room, [])):
            self._report(room, number, frame)

    def unwatch(self, room: str) -> None:
        """Ends that."""
        self._watched.discard(room)

    def over(self, room: str) -> None:
        """Forgets a room that its agent has left."""
        self._rooms.pop(room, None)
        self._watched.discard(room)
