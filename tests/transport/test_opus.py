"""By decoding what was encoded: the voice is where the packets' times say it is, also where it is put into silence."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.transport.opus import FRAME, LOOK_AHEAD, Decoder, Encoded, encode, packet_samples, silence

RATE = 48_000


def decoded(packets: list[bytes]) -> NDArray[np.int16]:
    decoder = Decoder()
    audio = np.zeros(len(packets) * FRAME, np.int16)
    for index, packet in enumerate(packets):
        assert decoder.decode(packet, audio[index * FRAME : (index + 1) * FRAME]) == FRAME
    decoder.close()
    return audio


def voice(length: int) -> NDArray[np.int16]:
    time_s = np.arange(length) / RATE
    wave = sum(np.sin(2 * np.pi * 150 * k * time_s + k * k) / k for k in range(1, 20))
    return (np.asarray(wave) / 1.26 * 6000).astype(np.int16)


def first_loud(audio: NDArray[np.int16]) -> int:
    return int(np.flatnonzero(np.abs(audio.astype(int)) > 600)[0])


def last_loud(audio: NDArray[np.int16]) -> int:
    return int(np.flatnonzero(np.abs(audio.astype(int)) > 600)[-1])


@pytest.mark.parametrize("lead", [0, 1000, 4321])
def test_an_utterance_put_into_silence_is_heard_where_it_was_put(lead: int) -> None:
    spoken = voice(RATE // 2)
    pcm = np.concatenate([np.zeros(lead, np.int16), spoken, np.zeros(2000, np.int16)])
    audio = decoded([silence()] * 10 + encode(pcm) + [silence()] * 10)
    start = 10 * FRAME + lead + LOOK_AHEAD
    assert abs(first_loud(audio) - start - first_loud(spoken)) <= RATE // 500
    assert abs(last_loud(audio) - start - last_loud(spoken)) <= RATE // 100  # it rings out
    heard = audio[start : start + spoken.size].astype(float)
    assert np.sqrt((heard**2).mean()) == pytest.approx(np.sqrt((spoken.astype(float) ** 2).mean()), rel=0.15)


def test_silence_is_silent_before_and_after() -> None:
    audio = decoded([silence()] * 10 + encode(voice(RATE // 4)) + [silence()] * 25)
    assert np.abs(audio[: 10 * FRAME - FRAME].astype(int)).max() < 10
    assert np.abs(audio[-10 * FRAME :].astype(int)).max() < 10


def test_an_utterance_has_room_for_its_last_sample() -> None:
    for length in (1, FRAME - LOOK_AHEAD, FRAME - LOOK_AHEAD + 1, FRAME, 10 * FRAME):
        assert len(encode(np.ones(length, np.int16))) * FRAME >= length + LOOK_AHEAD


def test_the_same_audio_is_encoded_once() -> None:
    encoded = Encoded(most=2)
    assert encoded.get(voice(2000)) is None
    first = encoded.make(voice(2000))
    assert encoded.get(voice(2000)) is first
    assert encoded.make(voice(2000)) is first
    for length in (3000, 4000):
        encoded.make(voice(length))
    assert encoded.get(voice(2000)) is None


def test_how_much_a_packet_holds_is_read_from_its_first_bytes() -> None:
    assert {packet_samples(packet) for packet in encode(voice(5000))} == {FRAME}
    assert packet_samples(b"\x08") == 960  # SILK, 20 ms
    assert packet_samples(b"\x18") == 2880  # SILK, 60 ms
    assert packet_samples(b"\x80") == 120  # CELT, 2.5 ms
    assert packet_samples(b"\x79\0\0") == 1920  # two of 20 ms
    assert packet_samples(b"\x7b\x03") == 2880  # three of 20 ms
    assert packet_samples(b"\x7b\x07") == 0  # 140 ms, which no packet may hold
    assert packet_samples(b"") == 0


def test_broken_packets_give_nothing() -> None:
    decoder = Decoder()
    room = np.zeros(FRAME, np.int16)
    assert decoder.decode(b"\x7b\x3f", room) == 0
    assert decoder.decode(b"\x7b\x03" + bytes(40), room) == 0  # more than there is room for
    assert decoder.decode(encode(voice(FRAME))[0], room) == FRAME
    decoder.close()
    decoder.close()
