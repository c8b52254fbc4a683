"""Whether an agent in the room is still alive, judged by its packets: a dead one sends none, a silent one does.

LiveKit reports a crashed participant only after about 20 s. Its media stops at once, while a live agent keeps sending
in silence: silence itself or, with DTX, one packet per 400 ms (RFC 7587, 3.1.3, and libopus). An agent that never sent
in silence is not judged.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.call.engines.line import Media
from harness.clock import NS_PER_MS

SILENT_SECONDS = 3
KNOWN_NS = 300 * NS_PER_MS  # delay until a voice is detected after its packets
TAIL_NS = 1200 * NS_PER_MS  # how long a voice may trail on: a later packet is one of silence, not the end of speech


@dataclass(slots=True)
class _Track:
    sends_in_silence: bool = False
    perhaps: tuple[int, int] | None = None
    nothing_for: int = 0
    server_heard: bool = False
    muted: bool = False


class SignsOfLife:
    """Takes each second of the agent's tracks and detects when the agent has stopped sending for good."""

    def __init__(self) -> None:
        self._tracks: dict[str, _Track] = {}

    def packet(self, track: str, came_ns: int, *, silent_since_ns: int, now_ns: int) -> None:
        """Handles a track's last packet so far, and since when there has been no voice on it."""
        known = self._tracks.setdefault(track, _Track())
        if known.perhaps is not None:
            packet_ns, since_ns = known.perhaps
            if since_ns != silent_since_ns:
                known.perhaps = None  # it belonged to a voice
            elif now_ns - packet_ns >= KNOWN_NS:
                known.sends_in_silence = True
        elif came_ns - silent_since_ns >= TAIL_NS:
            known.perhaps = (came_ns, silent_since_ns)

    def knows(self, track: str) -> bool:
        """Whether a track is already known to send in silence."""
        return track in self._tracks and self._tracks[track].sends_in_silence

    def second(self, media: Media) -> None:
        """Handles a track's statistics for the last second."""
        track = self._tracks.setdefault(media.track, _Track())
        if media.received > 0:
            track.nothing_for, track.server_heard = 0, False
        elif not track.muted:
            track.nothing_for += 1
            # If nothing at all arrives from the server, it is our own connection that is dead.
            track.server_heard = track.server_heard or media.server_heard is not False

    def muted(self, track: str, *, muted: bool) -> None:
        """Handles a track being muted, when it may send nothing, or unmuted, when its history restarts."""
        known = self._tracks.setdefault(track, _Track())
        known.muted, known.nothing_for = muted, 0

    def gone(self, track: str) -> None:
        """Forgets a track that has gone."""
        self._tracks.pop(track, None)

    def begin_anew(self) -> None:
        """Resets after our own connection was away: missing packets mean nothing then."""
        for track in self._tracks.values():
            track.nothing_for, track.server_heard = 0, False

    def expected(self) -> list[str]:
        """The tracks of which at least one should be sending now, even if nobody speaks; empty if there are none."""
        judged = {sid: track for sid, track in self._tracks.items() if not track.muted}
        return list(judged) if any(track.sends_in_silence for track in judged.values()) else []

    @property
    def none(self) -> bool:
        """Whether no track sends any more, although one of them did so in silence before."""
        judged = [self._tracks[sid] for sid in self.expected()]
        return bool(judged) and all(track.nothing_for >= SILENT_SECONDS and track.server_heard for track in judged)
