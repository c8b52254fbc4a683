"""What ties the heard stream to time and to the recording, written once a second and where the stream moved."""

from __future__ import annotations

from harness.call.engines.line import SAMPLE_RATE, Heard
from harness.call.recorder import Stand
from harness.call.timeline import Timeline

EVERY = SAMPLE_RATE  # samples of the stream from one anchor to the next


class HeardAnchors:
    """Writes `heard` events, from which the stream can be found again (`measure/heard_again.py`)."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._stand: Stand | None = None
        self._last: Heard | None = None
        self._due = 0

    def heard(self, heard: Heard, stand: Stand | None) -> None:
        """A block came, and stands there in the recording (None: there is none)."""
        if stand != self._stand and stand is not None:
            self._stand = stand
            self._write(heard, stand.position)
        elif heard.position >= self._due:
            self._stand = stand
            self._write(heard, heard.position)
        self._last = heard

    def end(self) -> None:
        """No more is heard: the stream's end is the last anchor."""
        if self._last is not None:
            self._write(self._last, self._last.position + self._last.samples.size)

    def _write(self, heard: Heard, position: int) -> None:
        place = None if self._stand is None else self._stand.place_of(position)
        self._timeline.add(heard.wire_at(position), "heard", position=position, ear=heard.ear_at(position), place=place)
        self._due = position + EVERY
