"""Merges the agent's voice from all tracks in a room, and decides which tracks are the agent's.

The same object receives the same events live and when a timeline is read back, so both yield the same voices. An agent
is heard as a person hears it: a voice on any of its tracks is its voice, and two at once are one. Background sound is
recognised by the source that its publisher declared: a track that is not a microphone is background if a microphone
track of the same agent exists for at least half of its time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.hearing.voice import Voice, end_voice

MICROPHONE = "microphone"


@dataclass(slots=True)
class HeardTrack:
    """An audio track in the room, of any participant, and all voices on it."""

    sid: str
    identity: str
    source: str
    name: str = ""
    came_ns: int = 0
    gone_ns: int | None = None
    voices: list[Voice] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Reign:
    """Who is the agent from `from_ns` on."""

    identity: str
    from_ns: int


class AgentVoices:
    """The agent's voice, kept up to date from participants, tracks, agent choices and voice edges.

    Attributes:
        voices: The agent's voices, sorted by onset and not overlapping; only the last may be in progress. Always the
            same list object.
        tracks: All audio tracks so far, by sid.
    """

    def __init__(self) -> None:
        self.voices: list[Voice] = []
        self.tracks: dict[str, HeardTrack] = {}
        self._behalf: dict[str, str] = {}
        self._reigns: list[_Reign] = []
        self._background: set[str] = set()
        self._now_ns = 0

    # -- participants and tracks -----------------------------------------------------------------------------------

    def participant(self, identity: str, on_behalf_of: str | None) -> None:
        """Records a participant, or new information about one."""
        if on_behalf_of is not None and self._behalf.get(identity) != on_behalf_of:
            self._behalf[identity] = on_behalf_of
            self._merge_all()

    def track_came(self, t_ns: int, sid: str, identity: str, *, name: str = "", source: str = MICROPHONE) -> None:
        """Records a track that was subscribed at `t_ns`."""
        self.tracks[sid] = HeardTrack(sid, identity, source, name, t_ns)
        self._passed(t_ns)

    def track_gone(self, t_ns: int, sid: str) -> None:
        """Records that a track ended at `t_ns`."""
        if sid in self.tracks:
            self.tracks[sid].gone_ns = t_ns
            self._passed(t_ns)

    def chosen(self, identity: str) -> None:
        """Sets the agent for the whole call, replacing any earlier choice."""
        self._reigns = [_Reign(identity, 0)]
        self._merge_all()

    def handed_over(self, identity: str) -> None:
        """Records a hand-over: `identity` is the agent from the end of the last voice so far."""
        from_ns = self.voices[-1].end_ns or self.voices[-1].onset_ns if self.voices else 0
        self._reigns.append(_Reign(identity, from_ns))
        self._merge_all()

    @property
    def identities(self) -> list[str]:
        """The agent's identities, in order of hand-over; excludes participants that were chosen by mistake."""
        return list(dict.fromkeys(reign.identity for reign in self._reigns))

    def speaks_for(self, identity: str) -> str:
        """The identity that a participant's audio belongs to: its own, or the agent on whose behalf it publishes."""
        return self._behalf.get(identity, identity)

    def is_agents(self, sid: str) -> bool:
        """Whether a track is the agent's; also True for a track of unknown owner."""
        track = self.tracks.get(sid)
        return track is None or not track.identity or self.is_agent(track.identity)

    def is_agent(self, identity: str) -> bool:
        """Whether a participant is the agent, was the agent before a hand-over, or publishes on its behalf."""
        return any(reign.identity in (identity, self.speaks_for(identity)) for reign in self._reigns)

    def is_background(self, sid: str) -> bool:
        """Whether a track of the agent is background sound."""
        return sid in self._background

    def of_agent(self) -> list[HeardTrack]:
        """The agent's tracks, including background, in order of appearance."""
        return [track for track in self.tracks.values() if self.is_agent(track.identity)]

    def newest(self) -> str | None:
        """The sid of the agent's newest live track, background only if there is no other; None if there is none."""
        live = [track.sid for track in self.of_agent() if track.gone_ns is None]
        spoken = [sid for sid in live if sid not in self._background]
        return next(reversed(spoken or live), None)

    # -- voices ----------------------------------------------------------------------------------------------------

    def onset(self, sid: str, t_ns: int) -> None:
        """Records the onset of a voice on a track."""
        self._track(sid).voices.append(Voice(t_ns))
        self._passed(t_ns)
        self._merge(sid, t_ns)

    def end(self, sid: str, t_ns: int, began_ns: int | None) -> None:
        """Ends the track's last voice and corrects its onset to `began_ns`; None if it was noise."""
        voices = self._track(sid).voices
        onset_ns = voices[-1].onset_ns
        end_voice(voices, t_ns, began_ns)
        self._passed(t_ns)
        self._merge(sid, onset_ns)

    def last_onset_ns(self, sid: str) -> int:
        """The onset of the track's last voice."""
        return self._track(sid).voices[-1].onset_ns

    def voiced(self, sid: str) -> bool:
        """Whether a voice is in progress on the track."""
        voices = self._track(sid).voices
        return bool(voices) and voices[-1].end_ns is None

    def has_spoken(self, identity: str) -> bool:
        """Whether there was a voice on any track that belongs to `identity`."""
        return any(track.voices for track in self.tracks.values() if self.speaks_for(track.identity) == identity)

    def background(self) -> list[Voice]:
        """The agent's background sound, merged like `voices`."""
        beside = [track for track in self._agents_tracks() if track.sid in self._background]
        return _united(voice for track in beside for voice in track.voices)

    def passed(self, t_ns: int) -> None:
        """Advances the time, which may change which tracks are background."""
        self._passed(t_ns)

    # -- merging ---------------------------------------------------------------------------------------------------

    def _track(self, sid: str) -> HeardTrack:
        if sid not in self.tracks:
            self.tracks[sid] = HeardTrack(sid, "", MICROPHONE)
        return self.tracks[sid]

    def _agents_tracks(self) -> list[HeardTrack]:
        return [track for track in self.tracks.values() if not track.identity or self.is_agent(track.identity)]

    def _passed(self, t_ns: int) -> None:
        self._now_ns = max(self._now_ns, t_ns)
        if len(self.tracks) < 2:
            return
        background = {track.sid for track in self.tracks.values() if self._is_beside_a_voice(track)}
        if background != self._background:
            self._background = background
            self._merge_all()

    def _is_beside_a_voice(self, track: HeardTrack) -> bool:
        if track.source == MICROPHONE:
            return False
        until_ns = track.gone_ns or self._now_ns
        return any(
            2 * (min(until_ns, other.gone_ns or self._now_ns) - max(track.came_ns, other.came_ns))
            >= until_ns - track.came_ns
            for other in self.tracks.values()
            if other.source == MICROPHONE and self.speaks_for(other.identity) == self.speaks_for(track.identity)
        )

    def _merge_all(self) -> None:
        self.voices[:] = _united(voice for track in self._agents_tracks() for voice in self._counted(track, 0))

    def _merge(self, sid: str, since_ns: int) -> None:
        """Merges the voices from `since_ns` on again, after a change on a track."""
        tracks = self._agents_tracks()
        if all(track.sid != sid for track in tracks):
            return
        kept = len(self.voices)
        while kept and (self.voices[kept - 1].end_ns or self._now_ns) >= since_ns:
            kept -= 1
            since_ns = min(since_ns, self.voices[kept].onset_ns)
        self.voices[kept:] = _united(voice for track in tracks for voice in self._counted(track, since_ns))

    def _counted(self, track: HeardTrack, since_ns: int) -> Iterable[Voice]:
        """The track's voices that end after `since_ns` and are the agent's, newest first."""
        if track.sid in self._background:
            return
        whose = (track.identity, self.speaks_for(track.identity))
        reigns = [reign for reign in self._reigns if reign.identity in whose]
        for voice in reversed(track.voices):
            if voice.end_ns is not None and voice.end_ns < since_ns:
                return
            if not track.identity or any(voice.onset_ns >= reign.from_ns for reign in reigns):
                yield voice


def _united(voices: Iterable[Voice]) -> list[Voice]:
    """The voices sorted by onset, with overlapping ones merged."""
    united: list[Voice] = []
    for voice in sorted(voices, key=lambda voice: voice.onset_ns):
        last = united[-1] if united else None
        if last is None or (last.end_ns is not None and last.end_ns < voice.onset_ns):
            united.append(Voice(voice.onset_ns, voice.end_ns))
        elif last.end_ns is not None:
            last.end_ns = None if voice.end_ns is None else max(last.end_ns, voice.end_ns)
    return united
