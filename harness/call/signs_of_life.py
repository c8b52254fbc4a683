"""Whether an agent that is in the room still lives, by its packets: a dead one sends none, a silent one does.

LiveKit tells of a participant that crashed after about 20 s only. Its media stops at once, while a live agent goes on
to send in silence: silence itself, or, where that is not transmitted (DTX), one packet in 400 ms (RFC 7587, 3.1.3, and
libopus). An agent that never sent in silence is not judged.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.call.engines.line import Media

SILENT_SECONDS = 3
LEAST_SILENT_SECONDS = 2  # in which packets came in silence: then it is one that sends there


@dataclass(slots=True)
class _Track:
    sent_in_silence: int = 0
    nothing_for: int = 0
    server_heard: bool = False
    muted: bool = False


class SignsOfLife:
    """Told of each second of each track of the agent's, it tells when the agent has gone silent for good."""

    def __init__(self) -> None:
        self._tracks: dict[str, _Track] = {}

    def second(self, media: Media, *, voiced: bool) -> None:
        """A second of a track; `voiced` where the agent spoke on it in it."""
        track = self._tracks.setdefault(media.track, _Track())
        if media.received > 0:
            track.nothing_for, track.server_heard = 0, False
            track.sent_in_silence += not voiced
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

    def sign_wanted(self) -> list[str]:
        """The tracks of which packets are to be expected now, though nobody speaks; empty: none is, or one at least."""
        judged = {sid: track for sid, track in self._tracks.items() if not track.muted}
        sends = any(track.sent_in_silence >= LEAST_SILENT_SECONDS for track in judged.values())
        return list(judged) if sends else []

    @property
    def none(self) -> bool:
        """Whether no track sends any more, and one of them did in silence before."""
        judged = [track for track in self._tracks.values() if not track.muted]
        dead = [track.nothing_for >= SILENT_SECONDS and track.server_heard for track in judged]
        sent = any(track.sent_in_silence >= LEAST_SILENT_SECONDS for track in judged)
        return bool(judged) and all(dead) and sent
