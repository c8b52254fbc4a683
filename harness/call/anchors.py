"""What ties the heard stream to time and to the recording, written once a second and where the stream moved."""

from __future__ import annotations

from dataclasses import dataclass

from harness.call.engines.line import SAMPLE_RATE, Heard
from harness.call.recorder import Stand
from harness.timeline.events import StreamAnchor
from harness.timeline.timeline import Timeline

EVERY = SAMPLE_RATE  # samples of the stream from one anchor to the next


@dataclass(slots=True)
class _Anchored:
    """A track: where it stands in the recording, its last block, and from which position on an anchor is due."""

    stand: Stand | None = None
    last: Heard | None = None
    due: int = 0


class HeardAnchors:
    """Writes `heard` events, from which each track's stream can be found again (`measure/heard_again.py`)."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._tracks: dict[str, _Anchored] = {}

    def heard(self, heard: Heard, stand: Stand | None) -> None:
        """A block of a track came, and stands there in the recording (None: there is none)."""
        track = self._tracks.setdefault(heard.track, _Anchored())
        if stand != track.stand and stand is not None:
            track.stand = stand
            self._write(track, heard, stand.position)
        elif heard.position >= track.due:
            track.stand = stand
            self._write(track, heard, heard.position)
        track.last = heard

    def ended(self, sid: str) -> None:
        """No more is heard of a track: its stream's end is the last anchor."""
        track = self._tracks.pop(sid, None)
        if track is not None and track.last is not None:
            self._write(track, track.last, track.last.position + track.last.samples.size)

    def end(self) -> None:
        """No more is heard at all."""
        for sid in list(self._tracks):
            self.ended(sid)

    def _write(self, track: _Anchored, heard: Heard, position: int) -> None:
        place = None if track.stand is None else track.stand.place_of(position)
        self._timeline.add(
            StreamAnchor(
                t_ns=heard.wire_at(position),
                track=heard.track,
                position=position,
                ear=heard.ear_at(position),
                place=place,
            )
        )
        track.due = position + EVERY
