"""Joins one room as a caller, hears the greeting, types, leaves, and looks at who is left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness.call.chat import TOPIC_IN, TOPIC_OUT, USER
from harness.call.engines.line import (
    NS_PER_SAMPLE,
    AudioTrack,
    Engine,
    Heard,
    Line,
    Media,
    Participant,
)
from harness.call.who import Person, choose
from harness.clock import NS_PER_MS, Clock, s_to_ns
from harness.contract.evidence import Frame, Granted, RoomSeen
from harness.errors import CallFailure

TYPED = "What are your opening hours?"
VOICE_RMS = 200.0  # of 32768; digital silence and comfort noise are below
VOICE_NS = 200 * NS_PER_MS  # this much voice is a greeting
GONE_WITHIN_S = (2.0, 10.0)  # looked at after the first, and again after the second if somebody was still there
_LOOK_S = 1.0


class _Watch:
    """Collects a room's events; see `LineEvents`."""

    def __init__(self, clock: Clock, agent_identity: str | None) -> None:
        self._clock = clock
        self._named = agent_identity
        self._changed = asyncio.Event()
        self.people: dict[str, Person] = {}
        self.tracks: dict[str, AudioTrack] = {}
        self.frames: list[Frame] = []
        self.typed = False
        self.ended = ""
        self._voiced_ns: dict[str, float] = {}

    @property
    def agent(self) -> str | None:
        """The identity of the agent, as far as is known."""
        chosen, _ = choose(self.people, current=None, named=self._named, now_ns=self._clock.now_ns())
        return None if chosen is None else chosen.identity

    @property
    def agent_tracks(self) -> int:
        """The number of audio tracks of the agent, and of who publishes its voice."""
        agent = self.agent
        return sum(self._belongs(track.identity, agent) for track in self.tracks.values())

    @property
    def spoke(self) -> bool:
        """Whether the agent's voice was heard."""
        agent = self.agent
        return any(
            voiced_ns >= VOICE_NS
            for sid, voiced_ns in self._voiced_ns.items()
            if sid in self.tracks and self._belongs(self.tracks[sid].identity, agent)
        )

    @property
    def replies(self) -> list[Frame]:
        """The agent's frames on `voice.reply`; those without a sender are its own, too."""
        agent = self.agent
        return [one for one in self.frames if one.identity is None or self._belongs(one.identity, agent)]

    async def until(self, happened: Callable[[], bool], timeout_s: float) -> bool:
        """Waits until it has happened; False if it did not in time, or the room ended."""
        try:
            async with asyncio.timeout(timeout_s):
                while not happened():
                    if self.ended:
                        return False
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return happened()
        return True

    def _belongs(self, identity: str, agent: str | None) -> bool:
        person = self.people.get(identity)
        behalf = None if person is None else person.participant.on_behalf_of
        return agent is not None and agent in (identity, behalf)

    # -- LineEvents ------------------------------------------------------------------------------------------------

    def on_participant(self, t_ns: int, participant: Participant) -> None:
        """See `LineEvents`."""
        known = self.people.get(participant.identity)
        if known is None:
            self.people[participant.identity] = Person(participant, t_ns)
        else:
            known.participant = participant
        self._changed.set()

    def on_participant_left(self, t_ns: int, identity: str) -> None:
        """See `LineEvents`."""
        self.people.pop(identity, None)
        self._changed.set()

    def on_audio_track(self, t_ns: int, track: AudioTrack) -> None:
        """See `LineEvents`."""
        self.tracks[track.sid] = track
        person = self.people.get(track.identity)
        if person is not None and person.audio_ns is None:
            person.audio_ns = t_ns
        self._changed.set()

    def on_audio_track_gone(self, t_ns: int, track: str) -> None:
        """See `LineEvents`."""
        self.tracks.pop(track, None)

    def on_track_muted(self, t_ns: int, track: str, *, muted: bool) -> None:
        """See `LineEvents`."""

    def on_heard(self, heard: Heard) -> None:
        """See `LineEvents`."""
        rms = float(np.sqrt(np.mean(np.square(heard.samples.astype(np.float64))))) if heard.samples.size else 0.0
        if rms >= VOICE_RMS:
            so_far_ns = self._voiced_ns.get(heard.track, 0.0)
            self._voiced_ns[heard.track] = so_far_ns + heard.samples.size * NS_PER_SAMPLE
            self._changed.set()

    def on_media(self, t_ns: int, media: Media) -> None:
        """See `LineEvents`."""

    def on_data(self, t_ns: int, topic: str, payload: bytes, identity: str | None) -> None:
        """See `LineEvents`."""
        if topic == TOPIC_IN:
            self.frames.append(Frame(payload, identity, after_typing=self.typed))
            self._changed.set()

    def on_sent(self, due_ns: int, left_ns: int, samples: NDArray[np.int16] | None) -> None:
        """See `LineEvents`."""

    def on_overflow(self, t_ns: int) -> None:
        """See `LineEvents`."""

    def on_broken(self, t_ns: int, what: str) -> None:
        """See `LineEvents`."""
        self._end(what)

    def on_reconnecting(self, t_ns: int, why: str) -> None:
        """See `LineEvents`."""

    def on_reconnected(self, t_ns: int, how: str) -> None:
        """See `LineEvents`."""

    def on_disconnected(self, t_ns: int, reason: str, *, by_service: bool) -> None:
        """See `LineEvents`."""
        self._end(f"the room ended: {reason}")

    def _end(self, why: str) -> None:
        self.ended = self.ended or why
        self._changed.set()


async def stay(
    engine: Engine, granted: Granted, clock: Clock, *, timeouts: Mapping[str, float], agent_identity: str | None = None
) -> RoomSeen:
    """Joins the room and returns what was seen there; failures are part of it.

    Args:
        engine: Joins the room.
        granted: The session's credentials.
        clock: Time source.
        timeouts: Time limits in seconds: `connect`, `agent_join`, `greeting`, `reply`.
        agent_identity: The agent's identity; None to detect the one that answers.
    """
    watch = _Watch(clock, agent_identity)
    try:
        line = await engine.join(granted.livekit_url, granted.token, watch, timeout_s=timeouts["connect"])
    except CallFailure as failure:
        return RoomSeen(problem=str(failure.what))
    try:
        problem, spoke, typed = await _talk(line, watch, timeouts)
        seen = RoomSeen(
            problem=problem,
            joined=True,
            agent=watch.agent,
            others=tuple(watch.people),
            audio_tracks=watch.agent_tracks,
            spoke=spoke,
            typed=typed,
            frames=tuple(watch.replies),
        )
    finally:
        await line.hang_up()
    return await _look_again(engine, granted, clock, seen, timeout_s=timeouts["connect"])


async def _talk(line: Line, watch: _Watch, timeouts: Mapping[str, float]) -> tuple[str, bool, str | None]:
    """Awaits the agent and its greeting, and types; returns the problem, whether it spoke, and what was typed."""
    spoke, typed = False, None
    try:
        await line.publish(timeout_s=timeouts["connect"])
        await watch.until(lambda: watch.agent is not None and watch.agent_tracks > 0, timeouts["agent_join"])
        if watch.agent is not None:
            spoke = await watch.until(lambda: watch.spoke, timeouts["greeting"])
            typed = await _type(line, watch, timeouts["reply"])
    except CallFailure as failure:
        return failure.what, spoke, typed
    return watch.ended, spoke, typed


async def _type(line: Line, watch: _Watch, timeout_s: float) -> str:
    """Types a text and waits for its echo and a reply; returns the text."""
    watch.typed = True
    await line.send_data(TOPIC_OUT, json.dumps({"type": USER, "text": TYPED}).encode())

    def came() -> set[bool]:
        return {frame.is_of_user for frame in watch.replies if frame.after_typing and frame.text}

    await watch.until(lambda: len(came()) == 2, timeout_s)  # an echo and a reply
    return TYPED


async def _look_again(engine: Engine, granted: Granted, clock: Clock, seen: RoomSeen, *, timeout_s: float) -> RoomSeen:
    """`seen`, with who of the call is in the room after we have left it. A room that is closed has nobody in it."""
    left: tuple[str, ...] = ()
    for wait_s in GONE_WITHIN_S:
        await clock.sleep_until_ns(clock.now_ns() + s_to_ns(wait_s))
        watch = _Watch(clock, None)
        try:
            line = await engine.join(granted.livekit_url, granted.token, watch, timeout_s=timeout_s)
        except CallFailure as failure:
            if failure.kind == "room.refused":
                return replace(seen, left_behind=())
            return replace(seen, not_looked=f"the room could not be looked at again: {failure.what}")
        await watch.until(lambda: bool(set(watch.people) & set(seen.others)), _LOOK_S)  # noqa: B023 - awaited at once
        left = tuple(identity for identity in seen.others if identity in watch.people)
        await line.hang_up()
        if not left:
            break
    return replace(seen, left_behind=left)
