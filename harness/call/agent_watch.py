"""Tracks who is in the room: which participant is the agent, whether it is still there, and who takes over from it.

Its findings go to the timeline as events from which measuring draws the same conclusions (`timeline/agent_voices.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from harness.call.engines.line import AudioTrack, Media, Participant
from harness.call.signs_of_life import SignsOfLife
from harness.call.who import FOLLOWS_NS, Person, choose, follower
from harness.clock import NS_PER_MS, NS_PER_S, Clock
from harness.errors import AgentFailure
from harness.timeline.agent_voices import AgentVoices
from harness.timeline.events import (
    AgentHandover,
    AgentJoined,
    AgentLeft,
    AgentSeen,
    ParticipantLeft,
    ParticipantSeen,
    TrackCame,
    TrackGone,
    TrackMuted,
    TrackUnmuted,
)
from harness.timeline.timeline import Timeline

PERHAPS_DEAD_NS = 1200 * NS_PER_MS  # three DTX packets and one reading of the statistics later
SURELY_KNOWN_NS = 6 * NS_PER_S


class AgentWatch:
    """See the module.

    Args:
        clock: Time source.
        timeline: Receives the events.
        voices: Receives the agent's identity and tracks; the ear adds the voices.
        last_packet_ns: Returns when a track's last packet arrived.
        named: The agent's identity, if it is known in advance.
        comes_until_ns: Returns until when an agent that was not there yet may join; 0 once the caller has taken a turn.
        on_anew: Called when another participant turns out to be the agent, and to have been it all along.
        on_gone: Called when the agent is gone for good, with the time since when and the failure.
    """

    def __init__(
        self,
        clock: Clock,
        timeline: Timeline,
        voices: AgentVoices,
        *,
        last_packet_ns: Callable[[str], int | None],
        named: str | None,
        comes_until_ns: Callable[[], int],
        on_anew: Callable[[], None],
        on_gone: Callable[[int, AgentFailure], None],
    ) -> None:
        self._clock = clock
        self._timeline = timeline
        self._voices = voices
        self._last_packet_ns = last_packet_ns
        self._named = named
        self._comes_until_ns = comes_until_ns
        self._on_anew = on_anew
        self._on_gone = on_gone
        self._people: dict[str, Person] = {}
        self._tracks: dict[str, AudioTrack] = {}
        self._life = SignsOfLife()
        self._left: Person | None = None
        self._left_ns = 0
        self._timer: asyncio.TimerHandle | None = None
        self._over = False
        self.agent: str | None = None
        self.joined = asyncio.Event()

    @property
    def is_there(self) -> bool:
        """Whether the agent is in the room, as far as is known.

        False while an agent that left may still be replaced, and while one that sends packets in silence has sent none
        for so long that it may have crashed; either is settled soon.
        """
        return self._left is None and not (PERHAPS_DEAD_NS < self._sent_nothing_for_ns() < SURELY_KNOWN_NS)

    def heard(self, sid: str) -> None:
        """Handles a block of a track: packets well after the end of its voice show that it sends in silence."""
        track = self._voices.tracks.get(sid)
        if track is None or self._life.knows(sid) or not self._voices.is_agents(sid) or self._voices.is_background(sid):
            return
        packet_ns = self._last_packet_ns(sid)
        since_ns = track.voices[-1].end_ns if track.voices else track.came_ns
        if packet_ns is not None and since_ns is not None:
            now_ns = self._clock.now_ns()
            self._life.packet(sid, packet_ns, silent_since_ns=since_ns, now_ns=now_ns)

    def _sent_nothing_for_ns(self) -> int:
        times = [self._last_packet_ns(sid) for sid in self._life.expected()]
        known = [t_ns for t_ns in times if t_ns is not None]
        return self._clock.now_ns() - max(known) if known else 0

    @property
    def nobody(self) -> bool:
        """Whether no other participant is in the room."""
        return not self._people

    def is_agents_text(self, identity: str | None) -> bool:
        """Whether this sender's text is the agent's: also without a sender, and whenever the agent is not yet known."""
        return identity is None or self.agent is None or self._voices.is_agent(identity)

    def close(self) -> None:
        """Called when the call is over."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()

    # -- what happens ------------------------------------------------------------------------------------------------

    def participant(self, t_ns: int, participant: Participant) -> None:
        """Handles a participant joining or its metadata changing."""
        known = self._people.get(participant.identity)
        if known is not None and known.participant == participant:
            return
        self._timeline.add(
            ParticipantSeen(
                t_ns=t_ns,
                identity=participant.identity,
                kind=participant.kind,
                on_behalf_of=participant.on_behalf_of,
            )
        )
        if known is None:
            self._people[participant.identity] = Person(participant, t_ns)
        else:
            known.participant = participant
        self._voices.participant(participant.identity, participant.on_behalf_of)
        self._decide(t_ns)

    def participant_left(self, t_ns: int, identity: str) -> None:
        """Handles a participant leaving."""
        person = self._people.pop(identity, None)
        if person is None:
            return
        self._timeline.add(ParticipantLeft(t_ns=t_ns, identity=identity))
        if identity == self.agent:
            self._left, self._left_ns = person, t_ns
        self._decide(t_ns)

    def track_came(self, t_ns: int, track: AudioTrack) -> None:
        """Handles an audio track being subscribed."""
        self._tracks[track.sid] = track
        self._timeline.add(
            TrackCame(t_ns=t_ns, track=track.sid, identity=track.identity, name=track.name, source=track.source)
        )
        self._voices.track_came(t_ns, track.sid, track.identity, name=track.name, source=track.source)
        person = self._people.setdefault(track.identity, Person(Participant(track.identity), t_ns))
        if person.audio_ns is None:
            person.audio_ns = t_ns
        self._decide(t_ns)

    def track_gone(self, t_ns: int, sid: str) -> None:
        """Handles a track's end."""
        track = self._tracks.pop(sid, None)
        if track is None:
            return
        self._timeline.add(TrackGone(t_ns=t_ns, track=sid))
        self._voices.track_gone(t_ns, sid)
        self._life.gone(sid)
        person = self._people.get(track.identity)
        if person is not None and all(other.identity != track.identity for other in self._tracks.values()):
            person.audio_ns = None

    def track_muted(self, t_ns: int, sid: str, *, muted: bool) -> None:
        """Handles a track being muted or unmuted."""
        self._timeline.add(TrackMuted(t_ns=t_ns, track=sid) if muted else TrackUnmuted(t_ns=t_ns, track=sid))
        self._life.muted(sid, muted=muted)

    def voice(self, t_ns: int, sid: str) -> None:
        """Handles the onset of a voice on a track."""
        track = self._tracks.get(sid)
        person = self._people.get(track.identity) if track is not None else None
        if person is not None and not person.has_spoken:
            person.has_spoken = True
            self._decide(t_ns)

    def second(self, t_ns: int, media: Media) -> None:
        """Handles a track's statistics for the last second."""
        self._voices.passed(t_ns)
        if not self._voices.is_agents(media.track) or self._voices.is_background(media.track):
            return
        self._life.second(media)
        if self._life.none and self.agent is not None and self._left is None and not self._over:
            what = f"the agent's audio stopped {FOLLOWS_NS // NS_PER_S} s ago, without a word of its leaving"
            hint = "did its process crash, or lose its network? it had sent packets in silence before"
            self._end(t_ns, AgentFailure("agent.gone_silent", what, hint=hint))

    def reconnected(self) -> None:
        """Called when our own connection is back."""
        self._life.begin_anew()

    # -- who it is ---------------------------------------------------------------------------------------------------

    def _decide(self, t_ns: int) -> None:
        if self._over:
            return
        again_ns = self._follow(t_ns) if self._left is not None else self._choose(t_ns)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if again_ns is not None:
            wait_s = max(0, again_ns - self._clock.now_ns()) / NS_PER_S
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._later)

    def _later(self) -> None:
        self._decide(self._clock.now_ns())

    def _choose(self, t_ns: int) -> int | None:
        chosen, again_ns = choose(self._people, current=self.agent, named=self._named, now_ns=t_ns)
        if chosen is None:
            return again_ns
        if chosen.identity != self.agent:
            changed, self.agent = self.agent is not None, chosen.identity
            by = "name" if self._named is not None else "kind" if chosen.is_agent else "audio"
            self._timeline.add(AgentSeen(t_ns=t_ns, identity=chosen.identity, by=by))
            before = self._tracks_of_agent()
            self._voices.chosen(chosen.identity)
            if changed and self.joined.is_set() and self._tracks_of_agent() != before:
                self.joined.clear()
                self._life = SignsOfLife()
                self._on_anew()
        if chosen.audio_ns is not None and not self.joined.is_set():
            self._timeline.add(AgentJoined(t_ns=chosen.audio_ns, identity=chosen.identity))
            self.joined.set()
        return again_ns

    def _tracks_of_agent(self) -> set[str]:
        return {track.sid for track in self._voices.of_agent() if track.gone_ns is None}

    def _follow(self, t_ns: int) -> int | None:
        """Looks for a successor of the agent that left; returns when to look again, None if that is settled."""
        left = self._left
        if left is None or self.agent is None:
            return None
        then, coming_ns = follower(self._people, left=left, left_ns=self._left_ns, named=self._named)
        mistaken = then is not None and then.is_agent and not left.is_agent
        if mistaken:
            self._left = None
            return self._choose(t_ns)
        if not self.joined.is_set() and (then is not None or self._another_may_be(t_ns)):
            self.agent = self._left = None  # it was taken for the agent before anything was heard from it
            return self._choose(t_ns)
        if then is not None:
            self._timeline.add(AgentHandover(t_ns=t_ns, identity=self.agent, to=then.identity))
            self.agent, self._left = then.identity, None
            self._voices.handed_over(then.identity)
            self._life = SignsOfLife()
            return None
        # One that only had audio, and left before the caller took a turn, may have been hold music, say.
        perhaps_none = not left.is_agent and self._named is None
        until_ns = max(self._left_ns + FOLLOWS_NS, coming_ns or 0, self._comes_until_ns() if perhaps_none else 0)
        if t_ns < until_ns:
            return until_ns
        self._timeline.add(AgentLeft(t_ns=self._left_ns, identity=self.agent))
        heard = self.joined.is_set()
        what = f"the agent left before {'the script had ended' if heard else 'its audio was there'}"
        waited_s = (until_ns - self._left_ns) / NS_PER_S
        self._end(self._left_ns, AgentFailure("agent.left", f"{what}, and none followed it within {waited_s:.0f} s"))
        return None

    def _another_may_be(self, t_ns: int) -> bool:
        return choose(self._people, current=None, named=self._named, now_ns=t_ns)[0] is not None

    def _end(self, since_ns: int, failure: AgentFailure) -> None:
        self._over = True
        self._on_gone(since_ns, failure)
