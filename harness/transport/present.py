"""Who is in a room and which audio tracks are subscribed: reported piecemeal by the server, in order by us."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from livekit.protocol import models

from harness.clock import Clock
from harness.transport import sdp
from harness.transport.room_events import Participant, RemoteTrack, RoomEvents, source_name


class Present:
    """Tracks participants and tracks, and reports changes to `events` after `greet`.

    Args:
        identity: Our identity.
        first: The participants in the room when we joined.
        events: Receives the changes.
        clock: Time source.
        unlisten: Called with the SSRC of a track that has gone.
    """

    def __init__(
        self,
        identity: str,
        first: Iterable[models.ParticipantInfo],
        events: RoomEvents,
        clock: Clock,
        *,
        unlisten: Callable[[int], None],
    ) -> None:
        self._identity = identity
        self._held: list[models.ParticipantInfo] | None = list(first)
        self._events = events
        self._clock = clock
        self._unlisten = unlisten
        self._participants: dict[str, Participant] = {}  # this and all below are keyed by sid
        self._active: set[str] = set()
        self._infos: dict[str, tuple[str, models.TrackInfo]] = {}
        self._tracks: dict[str, RemoteTrack] = {}
        self._muted: set[str] = set()
        self._offered: dict[str, int] = {}
        self._told_whole = True

    def greet(self) -> None:
        """Reports those who are present, in the order in which they joined, and all changes from now on."""
        held, self._held = self._held or [], None
        self.update(sorted(held, key=lambda info: info.joined_at_ms))

    def resumed(self) -> None:
        """Signalling was resumed: the server will list all participants."""
        self._told_whole = False

    def update(self, infos: Iterable[models.ParticipantInfo]) -> None:
        """Handles the server's updates on participants."""
        infos = list(infos)
        if self._held is not None:
            self._held.extend(infos)
            return
        now_ns = self._clock.now_ns()
        if not self._told_whole and any(info.identity == self._identity for info in infos):
            # Everyone is listed, us too: whoever is missing has left meanwhile.
            self._told_whole = True
            there = {info.sid for info in infos}
            for sid in [sid for sid in self._participants if sid not in there]:
                self._went(now_ns, sid)
        for info in infos:
            if info.identity == self._identity:
                continue
            if info.state == models.ParticipantInfo.DISCONNECTED:
                self._went(now_ns, info.sid)
            else:
                self._is_there(now_ns, info)
        self._match(now_ns)

    def offered(self, remote: sdp.Description) -> None:
        """Handles an offer from the server, which maps each track to its SSRC."""
        self._offered = {
            media.track: media.ssrcs[0]
            for media in remote.media
            if media.kind == "audio" and media.accepted and media.sends and media.ssrcs and media.track
        }
        now_ns = self._clock.now_ns()
        for sid, track in list(self._tracks.items()):
            if self._offered.get(sid) != track.ssrc:
                del self._tracks[sid]
                self._muted.discard(sid)
                self._unlisten(track.ssrc)
                self._events.track_went(now_ns, track)
        self._match(now_ns)

    def _is_there(self, now_ns: int, info: models.ParticipantInfo) -> None:
        one = Participant.of(info)
        known = self._participants.get(info.sid)
        self._participants[info.sid] = one
        if known is None:
            self._events.participant_came(now_ns, one)
        elif known != one:
            self._events.participant_changed(now_ns, one)
        if info.state == models.ParticipantInfo.ACTIVE and info.sid not in self._active:
            self._active.add(info.sid)
            self._events.participant_active(now_ns, info.identity)
        for track in info.tracks:
            self._infos[track.sid] = (info.identity, track)

    def _went(self, now_ns: int, sid: str) -> None:
        # By sid: when an identity rejoins, the new participant is reported first, then the old one's departure.
        self._active.discard(sid)
        one = self._participants.pop(sid, None)
        if one is not None and all(other.identity != one.identity for other in self._participants.values()):
            self._events.participant_went(now_ns, one.identity)

    def _match(self, now_ns: int) -> None:
        """Reports a track once it was offered and its participant is known, in whichever order."""
        for sid, ssrc in self._offered.items() if self._held is None else ():
            if sid in self._tracks or sid not in self._infos:
                continue
            identity, info = self._infos[sid]
            encrypted = info.encryption != models.Encryption.NONE
            self._tracks[sid] = RemoteTrack(identity, sid, ssrc, encrypted, info.name, source_name(info.source))
            self._events.track_came(now_ns, self._tracks[sid])
        for sid, track in self._tracks.items():
            muted = self._infos[sid][1].muted
            if muted != (sid in self._muted):
                (self._muted.add if muted else self._muted.discard)(sid)
                self._events.track_muted(now_ns, track, muted)
