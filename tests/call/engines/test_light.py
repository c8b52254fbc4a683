"""What is said and heard on the light engine, without a network: packets made and taken by the test."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.call.engines.light import LightLine
from harness.call.engines.light_ear import HEAR_EVERY, HEAR_SELDOM, LightEar
from harness.call.engines.light_mouth import LightMouth
from harness.call.engines.line import SAMPLE_RATE, AudioTrack, Heard, Media
from harness.clock import NS_PER_MS, NS_PER_S
from harness.transport.hub import TransportHub
from harness.transport.opus import FRAME, LOOK_AHEAD, Encoded, encode, silence
from harness.transport.pacer import PACKET_NS, SLOT_NS
from harness.transport.room_events import RemoteTrack
from harness.transport.rtp import RtpPacket
from tests.call.world import tone, utterance

START_NS = 5 * NS_PER_S


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.t_ns = START_NS

    def now_ns(self) -> int:
        return self.t_ns

    def utc(self) -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC)

    async def sleep_until_ns(self, deadline_ns: int) -> None:
        self.t_ns = max(self.t_ns, deadline_ns)


class Told:
    """What a line told its call."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.media: list[Media] = []
        self.sent: list[tuple[int, int, NDArray[np.int16] | None]] = []
        self.broken: list[str] = []
        self.tracks: list[str] = []

    def on_heard(self, heard: Heard) -> None:
        self.heard.append(heard)

    def on_media(self, t_ns: int, media: Media) -> None:
        self.media.append(media)

    def on_sent(self, due_ns: int, left_ns: int, samples: NDArray[np.int16] | None) -> None:
        self.sent.append((due_ns, left_ns, samples))

    def on_broken(self, t_ns: int, what: str) -> None:
        self.broken.append(what)

    def on_audio_track(self, t_ns: int, track: AudioTrack) -> None:
        self.tracks.append(track.identity)


class Mouth:
    """A mouth whose packets leave `late_ms` after their deadlines."""

    def __init__(self) -> None:
        self.told = Told()
        self.clock = HandClock()
        self.encoded = Encoded()
        self.packets: list[bytes] = []
        self.late_ms: float = 1
        self.mouth = LightMouth(self.encoded, self.clock, self.told)
        self.mouth.begin(self.leaves)
        self.due_ns = START_NS

    def leaves(self, packet: bytes, on_left) -> None:  # type: ignore[no-untyped-def] # as the pacer's port calls it
        self.packets.append(packet)
        on_left(self.due_ns + round(self.late_ms * NS_PER_MS))

    def send(self, count: int) -> None:
        for _ in range(count):
            self.mouth.send(self.due_ns, self.due_ns)
            self.due_ns += PACKET_NS


async def test_an_utterance_goes_out_whole_between_silence() -> None:
    one = Mouth()
    pcm = tone(SAMPLE_RATE // 3)
    packets = one.encoded.make(pcm)
    one.send(3)
    speaking = one.mouth.speak(pcm)
    one.send(len(packets) + 2)
    assert one.packets == [silence()] * 3 + packets + [silence()] * 2
    await asyncio.wait_for(speaking.finished(), 1)
    said = [samples for _, _, samples in one.told.sent if samples is not None]
    assert np.array_equal(np.concatenate(said), pcm)
    assert [due_ns for due_ns, _, _ in one.told.sent] == [START_NS + n * PACKET_NS for n in range(len(one.packets))]


async def test_a_sample_leaves_with_its_packet_by_its_place_in_it() -> None:
    one = Mouth()
    pcm = tone(SAMPLE_RATE // 3)
    one.encoded.make(pcm)
    speaking = one.mouth.speak(pcm)
    one.send(4)
    one.late_ms = 90  # one that is late by itself is heard no later
    one.send(1)
    one.late_ms = 1
    one.send(40)
    for packet in (0, 3, 4, 10):
        middle = packet * FRAME + FRAME // 2 - LOOK_AHEAD
        assert speaking.left_ns(middle) == START_NS + packet * PACKET_NS + NS_PER_MS
        assert speaking.left_ns(middle) - speaking.said_ns(middle) == round(LOOK_AHEAD * NS_PER_S / SAMPLE_RATE)


async def test_it_waits_for_its_time_and_for_its_packets() -> None:
    one = Mouth()
    pcm = tone(2000)
    speaking = one.mouth.speak(pcm, not_before_ns=START_NS + 90 * NS_PER_MS)
    one.send(1)  # not encoded yet
    assert speaking.packets is None
    await asyncio.wait_for(asyncio.gather(*one.mouth._encoding), 5)
    one.send(20)
    first = next(due_ns for due_ns, _, samples in one.told.sent if samples is not None)
    assert first == START_NS + 100 * NS_PER_MS


async def test_hanging_up_ends_what_was_still_to_be_said() -> None:
    one = Mouth()
    speaking = [one.mouth.speak(tone(5000)), one.mouth.speak(tone(6000))]
    one.send(2)
    one.mouth.end()
    one.send(2)
    for said in speaking:
        await asyncio.wait_for(said.finished(), 1)
    assert len(one.packets) == 2


class Agent:
    """Sends packets to an ear, each as it is due, and lets the ear listen at the pacer's times."""

    def __init__(self) -> None:
        self.told = Told()
        self.clock = HandClock()
        self.stamped = False
        self.ear = LightEar(
            "TR_1",
            self.clock,
            self.told,
            rtt_ms=lambda: 3.5,
            stamped=lambda: self.stamped,
            server_heard_ns=lambda: 0,
        )
        self.number = 0
        self.ticks = 0

    def say(self, packets: list[bytes]) -> None:
        for payload in packets:
            self.wait(PACKET_NS)
            packet = RtpPacket(111, False, self.number & 0xFFFF, self.ticks & 0xFFFFFFFF, 1, payload)
            self.number += 1
            self.ear.arrived(packet, self.clock.t_ns)

    def wait(self, length_ns: int) -> None:
        """Time passes, and RTP's with it."""
        for _ in range(round(length_ns / PACKET_NS)):
            self.clock.t_ns += PACKET_NS
            self.ticks += FRAME
            self.ear.listen(self.clock.t_ns, self.clock.t_ns)

    @property
    def audio(self) -> NDArray[np.int16]:
        ends = [heard.position + heard.samples.size for heard in self.told.heard]
        assert [heard.position for heard in self.told.heard] == [0, *ends[:-1]]
        return np.concatenate([heard.samples for heard in self.told.heard])


def test_the_voice_is_heard_at_the_time_at_which_its_packet_came() -> None:
    agent = Agent()
    agent.wait(400 * NS_PER_MS)
    spoken = utterance(500).pcm
    packets = encode(spoken)
    began_ns = agent.clock.t_ns
    agent.say(packets)
    agent.say([packets[-1][:1]])  # silence begins
    agent.wait(NS_PER_S)
    audio = agent.audio
    assert np.abs(audio[: 390 * 48].astype(int)).max() == 0
    onset = int(np.flatnonzero(np.abs(audio.astype(int)) > 600)[0])
    true = int(np.flatnonzero(np.abs(spoken.astype(int)) > 600)[0]) + LOOK_AHEAD
    packet, within = divmod(true, FRAME)
    came_ns = began_ns + (packet + 1) * PACKET_NS + round((within - FRAME / 2) * NS_PER_S / SAMPLE_RATE)
    heard = agent.told.heard[-1]
    assert heard.wire_at(onset) == pytest.approx(came_ns, abs=2 * NS_PER_MS)
    assert np.abs(audio[-4800:].astype(int)).max() == 0


def test_silence_goes_on_being_heard_while_nothing_comes() -> None:
    agent = Agent()
    agent.say(encode(tone(9600)))
    agent.say([silence()[:1]])
    agent.wait(2 * NS_PER_S)
    heard = agent.told.heard[-1]
    known_ns = heard.wire_at(heard.position + heard.samples.size)
    assert agent.clock.t_ns - known_ns <= 50 * NS_PER_MS + HEAR_SELDOM * PACKET_NS
    assert sum(media.lost + (media.concealed or 0) for media in agent.told.media) == 0


@pytest.mark.parametrize("silent_ms", range(600, 600 + 20 * HEAR_SELDOM, 20))
def test_a_voice_after_silence_is_listened_to_soon_whenever_it_comes(silent_ms: int) -> None:
    agent = Agent()
    agent.say([silence()[:1]])
    agent.wait(silent_ms * NS_PER_MS)
    before = len(agent.told.heard)
    agent.say(encode(tone(FRAME * HEAR_EVERY)))
    loud = [heard for heard in agent.told.heard[before:] if np.abs(heard.samples.astype(int)).max() > 600]
    assert loud, f"not known {HEAR_EVERY} packets later"


def test_an_agents_noise_is_heard_in_the_silence_that_it_does_not_send() -> None:
    agent = Agent()
    noise = np.random.default_rng(0).normal(0, 100, SAMPLE_RATE).astype(np.int16)
    agent.say(encode(noise))
    before = agent.audio.size
    agent.wait(NS_PER_S)
    gap = agent.audio[before + 4800 : before + 24_000].astype(float)
    assert 5 < np.sqrt((gap**2).mean()) < 200


def test_media_are_told_once_a_second() -> None:
    agent = Agent()
    packets = encode(tone(SAMPLE_RATE * 2))
    agent.say(packets[:30])
    agent.wait(2 * PACKET_NS)
    agent.number += 2  # lost
    agent.say(packets[32:])
    agent.wait(300 * NS_PER_MS)
    assert len(agent.told.media) == 2
    assert sum(media.lost for media in agent.told.media) == 2
    assert sum(media.concealed or 0 for media in agent.told.media) == 2 * FRAME
    assert {media.rtt_ms for media in agent.told.media} == {3.5}
    assert {media.jitter_buffer_ms for media in agent.told.media} == {None}


def test_junk_breaks_nothing() -> None:
    agent = Agent()
    agent.say([b"", b"\x7b\x3f", b"\xff" * 900, b"\x78", *encode(tone(4800))])
    agent.wait(NS_PER_S)
    assert agent.audio.size


async def test_an_encrypted_agent_is_a_clear_end() -> None:
    told, clock = Told(), HandClock()
    line = LightLine(TransportHub(clock), Encoded(), told, clock)
    line.track_came(START_NS, RemoteTrack("agent", "TR_1", 1, is_encrypted=True))
    assert told.tracks == ["agent"]
    assert "--engine sdk" in told.broken[0]
    await line.hang_up()


@pytest.mark.parametrize(("stamped", "late_ms"), [(True, 0), (False, 40)])
def test_a_packet_that_is_read_late_is_late_only_where_nobody_stamped_it(*, stamped: bool, late_ms: int) -> None:
    agent = Agent()
    agent.stamped = stamped
    agent.clock.t_ns += PACKET_NS
    packet = RtpPacket(111, False, 0, 0, 1, encode(np.full(FRAME, 9000, np.int16))[0])
    agent.ear.arrived(packet, agent.clock.t_ns - SLOT_NS - 40 * NS_PER_MS)
    agent.wait(4 * PACKET_NS)
    assert max(heard.late_ns for heard in agent.told.heard) == late_ms * NS_PER_MS
