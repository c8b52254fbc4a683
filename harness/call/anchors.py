"""Anchors that tie the heard stream to time and to the recording, written once a second and where the stream moved."""

from __future__ import annotations

from dataclasses import dataclass

from harness.call.engines.line import SAMPLE_RATE, Heard
from harness.call.recorder import Stand
from harness.timeline.events import StreamAnchor
from harness.timeline.timeline import Timeline

EVERY = SAMPLE_RATE  # samples between two anchors of a stream


@dataclass(slots=True)
class _Anchored:
    """A track: its place in the recording, its last block, and the position from which an anchor is due."""

    stand: Stand | None = None
    last: Heard | None = None
    due: int = 0


class HeardAnchors:
    """Writes `heard` events, by which each track's stream is found again later (`measure/heard_again.py`)."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._tracks: dict[str, _Anchored] = {}

    def heard(self, heard: Heard, stand: Stand | None) -> None:
        """Handles a block of a track, and its place in the recording (None if it is not recorded)."""
        track = self._tracks.setdefault(heard.track, _Anchored())
        if stand != track.stand and stand is not None:
            track.stand = stand
            self._write(track, heard, stand.position)
        elif heard.position >= track.due:
            track.stand = stand
            self._write(track, heard, heard.position)
        track.last = heard

    def ended(self, sid: str) -> None:
        """Handles a track's end, with a last anchor at the end of its stream."""
        track = self._tracks.pop(sid, None)
        if track is not None and track.last is not None:
            self._write(track, track.last, track.last.position + track.last.samples.size)

    def end(self) -> None:
        """Ends all tracks."""
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
