"""Whether an agent that is in the room still lives, by its packets: a dead one sends none, a silent one does.

LiveKit tells of a participant that crashed after about 20 s only. Its media stops at once, while a live agent goes on
to send in silence: silence itself, or, where that is not transmitted (DTX), one packet in 400 ms (RFC 7587, 3.1.3, and
libopus). An agent that never sent in silence is not judged.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.call.engines.line import Media
from harness.clock import NS_PER_MS

SILENT_SECONDS = 3
KNOWN_NS = 300 * NS_PER_MS  # a voice is known so long after its packets
TAIL_NS = 1200 * NS_PER_MS  # of a voice: a packet later than this is one of silence, not the end of what was said


@dataclass(slots=True)
class _Track:
    sends_in_silence: bool = False
    perhaps: tuple[int, int] | None = None
    nothing_for: int = 0
    server_heard: bool = False
    muted: bool = False


class SignsOfLife:
    """Told of each second of each track of the agent's, it tells when the agent has gone silent for good."""

    def __init__(self) -> None:
        self._tracks: dict[str, _Track] = {}

    def packet(self, track: str, came_ns: int, *, silent_since_ns: int, now_ns: int) -> None:
        """The track's last packet so far, and since when no voice is known on it."""
        known = self._tracks.setdefault(track, _Track())
        if known.perhaps is not None:
            packet_ns, since_ns = known.perhaps
            if since_ns != silent_since_ns:
                known.perhaps = None  # it was of a voice
            elif now_ns - packet_ns >= KNOWN_NS:
                known.sends_in_silence = True
        elif came_ns - silent_since_ns >= TAIL_NS:
            known.perhaps = (came_ns, silent_since_ns)

    def knows(self, track: str) -> bool:
        """Whether it is known already that a track sends in silence."""
        return track in self._tracks and self._tracks[track].sends_in_silence

    def second(self, media: Media) -> None:
        """A second of a track."""
        track = self._tracks.setdefault(media.track, _Track())
        if media.received > 0:
            track.nothing_for, track.server_heard = 0, False
        elif not track.muted:
            track.nothing_for += 1
            # Where nothing at all comes from the server, it is our own line that is dead.
            track.server_heard = track.server_heard or media.server_heard is not False

    def muted(self, track: str, *, muted: bool) -> None:
        """A track was muted, or unmuted: it may send nothing, and begins anew after that."""
        known = self._tracks.setdefault(track, _Track())
        known.muted, known.nothing_for = muted, 0

    def gone(self, track: str) -> None:
        """A track is there no more."""
        self._tracks.pop(track, None)

    def begin_anew(self) -> None:
        """Our own connection was away: what did not come in that time says nothing."""
        for track in self._tracks.values():
            track.nothing_for, track.server_heard = 0, False

    def expected(self) -> list[str]:
        """The tracks of which one at least is to send packets now, though nobody may speak; empty: none is."""
        judged = {sid: track for sid, track in self._tracks.items() if not track.muted}
        return list(judged) if any(track.sends_in_silence for track in judged.values()) else []

    @property
    def none(self) -> bool:
        """Whether no track sends any more, and one of them did in silence before."""
        judged = [self._tracks[sid] for sid in self.expected()]
        return bool(judged) and all(track.nothing_for >= SILENT_SECONDS and track.server_heard for track in judged)
