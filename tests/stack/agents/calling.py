"""A small caller for the tests of the reference agents: real LiveKit client, real server, real agents' process."""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import json
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from livekit import api, rtc

from harness.clock import NS_PER_MS, NS_PER_S, SystemClock
from harness.process.child import Child
from harness.process.log_tail import LogTail
from harness.stack.agents.arrival import ArrivalClock
from harness.stack.agents.mouth import Mouth, Talk
from harness.stack.agents.trimmed_speech import RATE_HZ, Pcm, TrimmedSpeech
from harness.stack.agents_file import AgentSpec
from harness.stack.tokens import LiveKitKeys, caller_token
from harness.transport.sdk_capture import capture_into

PATIENCE_S = 30.0
VOICE_POWER = 32768**2 * 10 ** (-45.0 / 10)  # -45 dBFS
BLOCK = RATE_HZ // 1000
LEAD_IN_NS = 300 * NS_PER_MS  # of silence, before the first words


@dataclass
class Process:
    """A running agents' process and its truth log."""

    keys: LiveKitKeys
    child: Child
    truth_path: Path
    log_tail: LogTail
    told: list[dict[str, Any]]
    news: asyncio.Event

    async def over(self, room: str) -> None:
        """Waits until the process says that nothing of the agent is in the room."""
        async with asyncio.timeout(PATIENCE_S):
            while {"room": room, "is": "over"} not in self.told:
                self.news.clear()
                await self.news.wait()

    async def join(self, agent: str, room: str, *, spec: AgentSpec | None = None, **overrides: str) -> None:
        order: dict[str, Any] = {"do": "join", "room": room, "agent": agent, "overrides": overrides}
        if spec is not None:
            order["spec"] = spec.model_dump(mode="json", exclude_defaults=True)
        await self.child.send(order)

    def truth(self, room: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.truth_path.read_text().splitlines()]
        return [line for line in lines if line["room"] == room]

    async def logged(self, room: str, event: str, count: int = 1) -> list[dict[str, Any]]:
        async with asyncio.timeout(PATIENCE_S):
            # Another process's file has no event to wait for.
            while len(found := [line for line in self.truth(room) if line["event"] == event]) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return found


@asynccontextmanager
async def agents_process(
    keys: LiveKitKeys,
    folder: Path,
    *,
    agents_file: Path | None = None,
    fixtures: Path | None = None,
    warm: tuple[str, ...] = (),
    tokens: dict[str, str] | None = None,
    private_hosts: tuple[str, ...] = (),
) -> AsyncIterator[Process]:
    ready: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
    log_tail = LogTail([keys.api_secret])
    told: list[dict[str, Any]] = []
    news = asyncio.Event()

    def take(message: dict[str, Any]) -> None:
        if not ready.done():
            ready.set_result(message)
        told.append(message)
        news.set()

    child = await Child.start(
        "agents",
        [sys.executable, "-m", "harness.stack.agents"],
        log_tail=log_tail,
        on_message=take,
    )
    truth_path = folder / "truth.jsonl"
    try:
        livekit = {"url": keys.url, "api_key": keys.api_key, "api_secret": keys.api_secret.reveal()}
        order = {"do": "start", "livekit": livekit, "warm": list(warm), "truth_log": str(truth_path)}
        order |= {"tokens": tokens or {}}
        order["private_hosts"] = list(private_hosts)
        await child.send(order | {"agents_file": str(agents_file) if agents_file else None})
        ended = asyncio.create_task(child.wait())
        await asyncio.wait({ready, ended}, timeout=90, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        assert ready.done(), log_tail.last()
        assert ready.result() == {"ready": True}, f"{ready.result()} {log_tail.last()}"
        yield Process(keys, child, truth_path, log_tail, told, news)
    finally:
        await child.stop(grace_s=10)


@dataclass
class Caller:
    """One participant that publishes a paced track, hears the first agent and keeps what it writes."""

    process: Process
    room_name: str
    clock: SystemClock = field(default_factory=SystemClock)
    messages: list[dict[str, Any]] = field(default_factory=list)
    junk: list[bytes] = field(default_factory=list)
    voiced_ns: list[int] = field(default_factory=list)  # when each millisecond with a voice came in
    heard_to_ns: int = 0  # when the last millisecond came in
    pushed: list[dict[str, Any]] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    heard: list[Pcm] = field(default_factory=list)

    async def connect(self) -> None:
        self.changed = asyncio.Event()
        self.speaks = False
        self.agent_left = asyncio.Event()
        self.room = rtc.Room()
        self.room.on("participant_connected", self._joined)
        self.room.on("participant_disconnected", lambda _: self.agent_left.set())
        self.room.on("track_subscribed", self._subscribed)
        self.room.on("data_received", self._data)
        self.tasks: list[asyncio.Task[None]] = []
        token = caller_token(self.process.keys, self.room_name, "caller")
        await self.room.connect(self.process.keys.url, token.reveal())
        for participant in self.room.remote_participants.values():
            self._joined(participant)
        self.source = rtc.AudioSource(RATE_HZ, 1, queue_size_ms=0)
        self.capture = capture_into(self.source, self.clock)
        track = rtc.LocalAudioTrack.create_audio_track("mic", self.source)
        self.publication = await self.room.local_participant.publish_track(
            track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        )
        self.mouth = Mouth(self.clock, lambda event, **fields: self.pushed.append({"event": event, **fields}))
        self.tasks.append(asyncio.create_task(self.mouth.run(self._push)))

    async def hang_up(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.room.local_participant.unpublish_track(self.publication.sid)
        await self.room.disconnect()
        await self.source.aclose()

    async def say(self, utterance: TrimmedSpeech) -> int:
        """Speaks to the end; the time of the last voiced sample (ns)."""
        lead_in_ns = 0 if self.speaks else LEAD_IN_NS
        self.speaks = True
        talk = Talk("reply", "", not_before_ns=self.clock.now_ns() + lead_in_ns)
        talk.add(utterance, last=True)
        self.mouth.say(talk)
        await talk.over
        return int(self.pushed[-1]["at_ns"])

    async def type(self, text: str) -> int:
        at_ns = self.clock.now_ns()
        payload = json.dumps({"type": "user_text", "text": text})
        await self.room.local_participant.publish_data(payload, reliable=True, topic="voice.user_text")
        return at_ns

    async def until(self, condition: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
        """What `condition` gives once it is true; looked at whenever something came in."""
        async with asyncio.timeout(patience_s):
            while not (result := condition()):
                self.changed.clear()
                await self.changed.wait()
        return result

    def texts(self, kind: str) -> list[str]:
        return [message["text"] for message in self.messages if message["type"] == kind]

    def voiced_after(self, at_ns: int) -> int | None:
        """When the agent's voice first came in after that time."""
        first = bisect.bisect_right(self.voiced_ns, at_ns)
        return self.voiced_ns[first] if first < len(self.voiced_ns) else None

    def silent_for_s(self) -> float:
        """How long the agent has been silent."""
        return (self.heard_to_ns - self.voiced_ns[-1]) / NS_PER_S if self.voiced_ns else float("inf")

    async def until_heard(self, at_ns: int) -> None:
        """Listens to what the agent sends, voice or silence, up to that time."""
        await self.until(lambda: self.heard_to_ns >= at_ns)

    async def type_until_voiced(self, text: str, *, within_s: float = 5.0, times: int = 4) -> None:
        """Types a text until the agent's voice sets in: again after `within_s`, as a person would."""
        for last in [False] * (times - 1) + [True]:
            at_ns = await self.type(text)
            with contextlib.suppress(*() if last else (TimeoutError,)):
                await self.until(lambda at_ns=at_ns: self.voiced_after(at_ns), within_s)
                return

    async def until_spoken(self, after_ns: int, silence_s: float = 1.0) -> int:
        """Waits for the agent's voice after that time and for its end; the time of the onset (ns)."""
        onset = await self.until(lambda: self.voiced_after(after_ns))
        await self.until(lambda: self.silent_for_s() > silence_s)
        return int(onset)

    def _log(self, event: str, **fields: Any) -> None:
        self.pushed.append({"event": event, **fields})

    async def _push(self, pcm: Pcm | None) -> None:
        if not self.speaks:  # who only types sends no sound: nobody listens for it
            return
        samples = np.zeros(480, np.int16) if pcm is None else pcm
        await self.capture(samples)

    def _joined(self, participant: rtc.RemoteParticipant) -> None:
        if participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
            self.agents.append(participant.identity)
            self.changed.set()

    def _subscribed(self, track: rtc.Track, _: Any, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self.agents[0]:
            self.tasks.append(asyncio.create_task(self._hear(track)))

    def _data(self, packet: rtc.DataPacket) -> None:
        try:
            message = json.loads(packet.data)
            assert isinstance(message["text"].strip(), str)
            assert message["text"].strip()
            assert isinstance(message["type"], str)
        except (ValueError, TypeError, KeyError, AttributeError, AssertionError):
            self.junk.append(packet.data)
        else:
            self.messages.append({**message, "at_ns": self.clock.now_ns()})
        self.changed.set()

    async def _hear(self, track: rtc.Track) -> None:
        stream = rtc.AudioStream.from_track(track=track, sample_rate=RATE_HZ, num_channels=1, frame_size_ms=20)
        arrival = ArrivalClock(RATE_HZ)
        position = 0
        try:
            async for event in stream:
                self.heard.append(np.frombuffer(event.frame.data, np.int16).copy())
                blocks = self.heard[-1].astype(np.float32).reshape(-1, BLOCK)
                arrival.arrived(position + blocks.size, self.clock.now_ns())
                began_ns = arrival.at_ns(position)
                voiced = np.flatnonzero((blocks**2).mean(axis=1) > VOICE_POWER)
                self.voiced_ns += [began_ns + int(number) * NS_PER_MS for number in voiced]
                self.heard_to_ns = began_ns + (len(blocks) - 1) * NS_PER_MS
                position += blocks.size
                self.changed.set()
        finally:
            await stream.aclose()


@asynccontextmanager
async def calling(
    process: Process, agent: str, *, spec: AgentSpec | None = None, **overrides: str
) -> AsyncIterator[Caller]:
    """A call to `agent`, the way the session service sets one up: a room is made, the agent sent, the caller joins.

    A stored agent is sent with its settings, `spec`.
    """
    room = f"test-{agent}-{uuid.uuid4().hex[:8]}"
    keys = process.keys
    async with api.LiveKitAPI(keys.url.replace("ws", "http", 1), keys.api_key, keys.api_secret.reveal()) as service:
        await service.room.create_room(api.CreateRoomRequest(name=room))
    await process.join(agent, room, spec=spec, **overrides)
    caller = Caller(process, room)
    await caller.connect()
    try:
        yield caller
    finally:
        await caller.hang_up()
