"""A world without a network: virtual time, a room made by hand, an agent that speaks when the test says so.

Time passes only while everyone waits, so a call of minutes takes a moment and every run is the same.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.call.call import Call
from harness.call.engines.line import SAMPLE_RATE, AudioTrack, Heard, LineEvents, Participant, Rights
from harness.call.microphone import Microphone
from harness.call.microphone import OutgoingSpeech as Speaking
from harness.call.plan import CallPlan
from harness.call.recorder import Recorder
from harness.clock import NS_PER_MS
from harness.errors import RoomFailure, SessionFailure
from harness.machine.loop_lag import LoopLag
from harness.measure.call import measure_call
from harness.record.result import CallResult
from harness.scenario.model import Scenario
from harness.scenario.timeouts import resolve_timeouts
from harness.secret import Secret
from harness.target.session import Session, SessionRequest
from harness.timeline.timeline import Timeline
from harness.utterances.find import Utterance
from tests.events import entries_of

Result = TypeVar("Result")
BLOCK = SAMPLE_RATE // 50
BLOCK_NS = 20 * NS_PER_MS
TOKEN = "eyJhbGciOiJIUzI1NiJ9.token-of-a-test"


class _Selector(selectors.DefaultSelector):
    """Instead of waiting it moves the loop's time on."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(None)  # only another thread can go on
        self.now_s += max(0.0, timeout)
        return super().select(0)


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now_s


class LoopClock:
    """The running loop's virtual time."""

    def now_ns(self) -> int:
        return round(asyncio.get_running_loop().time() * 1e9)

    def utc(self) -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=asyncio.get_running_loop().time() - 1000)

    async def sleep_until_ns(self, deadline_ns: int) -> None:
        await asyncio.sleep(max(0, deadline_ns - self.now_ns()) / 1e9)


def in_virtual_time(work: Coroutine[Any, Any, Result]) -> Result:
    """Runs `work` to its end in virtual time."""
    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        return runner.run(work)


@functools.cache
def tone(samples: int, *, pitch_hz: int = 150) -> NDArray[np.int16]:
    """A voice of twenty harmonics at about -20 dBFS."""
    time = np.arange(samples) / SAMPLE_RATE
    wave = sum(np.sin(2 * np.pi * pitch_hz * k * time + k * k) / k for k in range(1, 20))
    return (np.asarray(wave) / 1.26 * 3276).astype(np.int16)


def utterance(voiced_ms: int = 1000, *, text: str = "When do you open?", name: str = "a-fixture") -> Utterance:
    """100 ms of silence, a voice, 100 ms of silence."""
    lead, voiced = SAMPLE_RATE // 10, SAMPLE_RATE * voiced_ms // 1000
    pcm = np.concatenate([np.zeros(lead, np.int16), tone(voiced), np.zeros(lead, np.int16)])
    return Utterance(name, text, "en", pcm, lead, lead + voiced)


SECOND = tone(SAMPLE_RATE, pitch_hz=190)  # the agent's own voice: every second is the same
CLICK = (np.random.default_rng(1).normal(0, 4000, BLOCK) * np.exp(-np.arange(BLOCK) / 300)).astype(np.int16)


@dataclass
class Agent:
    """How the agent behaves; all times in ms.

    Attributes:
        joins: After the caller, None: never.
        greets: (delay after joining, length), None: not at all.
        replies: For each of the caller's turns (delay after its end, length), None: no reply. The last one stays.
        stops: How long after the caller's voice set in over its own it falls silent; None: it talks on.
        echoes: (delay, gain) at which it sends back what it hears.
        on_turn: Called with the line and the turn's number (from 1) when the caller has ended, for all else.
    """

    joins: float | None = 200
    greets: tuple[float, float] | None = (300, 1000)
    replies: Sequence[tuple[float, float] | None] = ((800, 1200),)
    stops: float | None = 400
    echoes: tuple[float, float] | None = None
    on_turn: Callable[[RoomLine, int], None] | None = None


@dataclass
class RoomLine:
    """A `Line` on which an `Agent` listens; `spoken` is what it said, from and to when (ns), `track` on which track.

    While it types (`typed`) its keys click, many of them.
    """

    agent: Agent
    events: LineEvents
    clock: LoopClock
    spoken: list[list[int]] = field(default_factory=list)
    typed: list[tuple[int, int]] = field(default_factory=list)
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    hung_up: int = 0
    turns: int = 0
    rights: Rights = field(default_factory=Rights)
    track: str | None = "TR_agent"
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _said: dict[int, NDArray[np.int16]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._microphone = Microphone(self._capture, self.clock, self.events.on_sent)
        self._start(self._live())

    async def publish(self, *, timeout_s: float) -> None:
        self._start(self._microphone.run())

    def last_packet_ns(self, track: str) -> int | None:
        return None

    def speak(self, pcm: NDArray[np.int16], *, not_before_ns: int = 0) -> Speaking:
        speaking = self._microphone.speak(pcm, not_before_ns=not_before_ns)
        self._start(self._hear_out(speaking, pcm))
        return speaking

    async def send_data(self, topic: str, payload: bytes) -> int:
        now_ns = self.clock.now_ns()
        self.sent.append((topic, payload))
        self._caller_ended(now_ns)
        return now_ns

    async def hang_up(self) -> None:
        self.hung_up += 1
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- what a test does to it ------------------------------------------------------------------------------------

    def say_at(self, start_ns: int, length_ms: float) -> None:
        self.spoken.append([start_ns, start_ns + round(length_ms * NS_PER_MS)])

    def say_in(self, delay_ms: float, length_ms: float) -> None:
        self.say_at(self.clock.now_ns() + round(delay_ms * NS_PER_MS), length_ms)

    def type_in(self, delay_ms: float, length_ms: float) -> None:
        start_ns = self.clock.now_ns() + round(delay_ms * NS_PER_MS)
        self.typed.append((start_ns, start_ns + round(length_ms * NS_PER_MS)))

    def write(self, payload: bytes, topic: str = "voice.reply") -> None:
        self.events.on_data(self.clock.now_ns(), topic, payload, "agent")

    def later(self, delay_ms: float, act: Callable[[], object]) -> None:
        asyncio.get_running_loop().call_later(delay_ms / 1000, act)

    # -- its own life ----------------------------------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work))

    async def _live(self) -> None:
        if self.agent.joins is None:
            return
        due_ns = self.clock.now_ns() + round(self.agent.joins * NS_PER_MS)
        await self.clock.sleep_until_ns(due_ns)
        self.events.on_participant(due_ns, Participant("agent", "agent"))
        self.events.on_audio_track(due_ns, AudioTrack("TR_agent", "agent"))
        if self.agent.greets is not None:
            self.say_at(due_ns + round(self.agent.greets[0] * NS_PER_MS), self.agent.greets[1])
        track, position = self.track, 0
        while True:
            samples = self._block(due_ns)
            await self.clock.sleep_until_ns(due_ns + BLOCK_NS)
            if self.track != track:
                track, position = self.track, 0
            if track is not None:
                self.events.on_heard(Heard(track, samples, position, due_ns, due_ns + 40 * NS_PER_MS))
                position += BLOCK
            due_ns += BLOCK_NS

    def _block(self, start_ns: int) -> NDArray[np.int16]:
        block = np.zeros(BLOCK, np.int16)
        for start, end in self.spoken:
            first, last = (min(BLOCK, max(0, round((edge - start_ns) * 48e-6))) for edge in (start, end))
            at = round(start_ns * 48e-6) % (SAMPLE_RATE - BLOCK)
            block[first:last] = SECOND[at + first : at + last]
        for start, end in self.typed:
            if start <= start_ns < end and (start_ns - start) // BLOCK_NS % 3 != 2:
                block += CLICK
        if self.agent.echoes is not None:
            delay_ms, gain = self.agent.echoes
            for half in range(2):
                sent_ns = start_ns + half * BLOCK_NS // 2 - round(delay_ms * NS_PER_MS)
                frame = self._said.pop(round(sent_ns / (BLOCK_NS // 2)), None)
                if frame is not None:
                    block[half * 480 : half * 480 + 480] += (frame * gain).astype(np.int16)
        return block

    async def _capture(self, frame: NDArray[np.int16]) -> None:
        if self.agent.echoes is not None:
            self._said[round(self.clock.now_ns() / (BLOCK_NS // 2))] = frame

    async def _hear_out(self, speaking: Speaking, pcm: NDArray[np.int16]) -> None:
        voiced = np.flatnonzero(pcm)
        while not speaking.frame_ns:
            await self.clock.sleep_until_ns(self.clock.now_ns() + 10 * NS_PER_MS)
        onset_ns, end_ns = speaking.left_ns(int(voiced[0])), speaking.left_ns(int(voiced[-1]) + 1)
        await self.clock.sleep_until_ns(onset_ns)
        if self.agent.stops is not None:
            for span in self.spoken:
                if span[0] < onset_ns < span[1]:
                    span[1] = min(span[1], onset_ns + round(self.agent.stops * NS_PER_MS))
        await self.clock.sleep_until_ns(end_ns)
        self._caller_ended(end_ns)

    def _caller_ended(self, end_ns: int) -> None:
        self.turns += 1
        reply = self.agent.replies[min(self.turns, len(self.agent.replies)) - 1] if self.agent.replies else None
        if reply is not None:
            self.say_at(end_ns + round(reply[0] * NS_PER_MS), reply[1])
        if self.agent.on_turn is not None:
            self.agent.on_turn(self, self.turns)


@dataclass
class World:
    """An engine, a session service and a clock; `lines` are the rooms that were joined.

    `held_s` is how long calls are held back before they ask for a session and before they join; `takes_s` a join.
    """

    agent: Agent = field(default_factory=Agent)
    refuse_session: SessionFailure | None = None
    refuse_room: RoomFailure | None = None
    held_s: tuple[float, float] = (0.0, 0.0)
    takes_s: float = 0.05
    name: str = "by-hand"
    rights: Rights = field(default_factory=Rights)
    lines: list[RoomLine] = field(default_factory=list)
    clock: LoopClock = field(default_factory=LoopClock)
    requests: list[SessionRequest] = field(default_factory=list)
    timeline: Timeline = field(default_factory=Timeline)

    async def admit(self) -> None:
        await asyncio.sleep(self.held_s[0])

    async def create(self, request: SessionRequest, *, timeout_s: float) -> Session:
        self.requests.append(request)
        await asyncio.sleep(0.05)
        if self.refuse_session is not None:
            raise self.refuse_session
        return Session(token=Secret(TOKEN), livekit_url="ws://127.0.0.1:1", room="room-1")

    async def may_join(self) -> None:
        await asyncio.sleep(self.held_s[1])

    async def join(self, url: str, token: Secret, events: LineEvents, *, timeout_s: float) -> RoomLine:
        await asyncio.sleep(self.takes_s)
        if self.refuse_room is not None:
            raise self.refuse_room
        self.lines.append(RoomLine(self.agent, events, self.clock, rights=self.rights))
        return self.lines[-1]

    def call(
        self,
        *steps: dict[str, Any],
        speech: Utterance | None = None,
        recorder: Recorder | None = None,
        during: Callable[[Call], object] | None = None,
        loop_s: float | None = None,
        **keys: Any,
    ) -> CallResult:
        """Makes a call of these steps, each spoken one with `speech`, and measures it."""
        plan = replace(call_plan(*steps, speech=speech, **keys), loop_s=loop_s)

        async def work() -> None:
            call = Call(
                plan,
                sessions=self,
                engine=self,
                clock=self.clock,
                lag=LoopLag(self.clock),
                timeline=self.timeline,
                recorder=recorder,
            )
            if during is not None:
                during(call)
            await call.make()

        in_virtual_time(work())
        return measure_call(self.timeline.events)

    def happened(self, name: str) -> list[dict[str, Any]]:
        """The timeline's events of that name."""
        return [entry for entry in entries_of(self.timeline.events) if entry["event"] == name]


def call_plan(*steps: dict[str, Any], speech: Utterance | None = None, **keys: Any) -> CallPlan:
    scenario = Scenario.model_validate({"name": "x", "turns": list(steps), **keys})
    said = [(speech or utterance()) if step.say is not None else None for step in scenario.turns]
    timeouts = resolve_timeouts(scenario.timeouts, {})
    identity = scenario.agent_identity
    return CallPlan("0001-x", scenario, said, "demo", {}, timeouts, "by-hand", agent_identity=identity)
