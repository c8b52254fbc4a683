"""Whether an agent that says nothing still lives."""

from __future__ import annotations

from harness.call.engines.line import Media
from harness.call.signs_of_life import SignsOfLife
from harness.clock import NS_PER_MS, NS_PER_S


def sends_in_silence(life: SignsOfLife, track: str = "TR_1") -> None:
    """A packet 1.3 s after its voice ended, of which no voice became known."""
    life.packet(track, 1300 * NS_PER_MS, silent_since_ns=0, now_ns=1400 * NS_PER_MS)
    life.packet(track, 1700 * NS_PER_MS, silent_since_ns=0, now_ns=1800 * NS_PER_MS)


def seconds(life: SignsOfLife, *received: int, track: str = "TR_1", server: bool | None = True) -> None:
    for count in received:
        life.second(Media(track, count, 0, server_heard=server))


def test_one_that_sent_in_silence_and_stops_is_dead_after_three_seconds() -> None:
    life = SignsOfLife()
    sends_in_silence(life)
    seconds(life, 3, 0, 0)
    assert not life.none
    seconds(life, 0)
    assert life.none


def test_one_packet_begins_it_anew() -> None:
    life = SignsOfLife()
    sends_in_silence(life)
    seconds(life, 0, 0, 1, 0, 0)
    assert not life.none


def test_one_that_never_sent_in_silence_is_not_judged() -> None:
    life = SignsOfLife()
    seconds(life, 50, 50, 0, 0, 0, 0)
    assert not life.none
    assert life.expected() == []


def test_the_first_packets_of_a_voice_that_is_not_known_yet_are_none_of_silence() -> None:
    life = SignsOfLife()
    life.packet("TR_1", 2 * NS_PER_S, silent_since_ns=0, now_ns=2 * NS_PER_S)
    life.packet("TR_1", 4 * NS_PER_S, silent_since_ns=4 * NS_PER_S, now_ns=5 * NS_PER_S)  # it was a voice until then
    assert not life.knows("TR_1")


def test_the_end_of_what_was_said_is_no_silence_that_is_sent() -> None:
    life = SignsOfLife()
    life.packet("TR_1", NS_PER_S, silent_since_ns=0, now_ns=2 * NS_PER_S)
    life.packet("TR_1", NS_PER_S, silent_since_ns=0, now_ns=3 * NS_PER_S)
    assert not life.knows("TR_1")


def test_a_muted_track_may_send_nothing() -> None:
    life = SignsOfLife()
    sends_in_silence(life)
    life.muted("TR_1", muted=True)
    seconds(life, 0, 0, 0, 0)
    assert not life.none
    life.muted("TR_1", muted=False)
    seconds(life, 0, 0, 0)
    assert life.none


def test_where_nothing_at_all_comes_from_the_server_our_own_line_is_dead() -> None:
    life = SignsOfLife()
    sends_in_silence(life)
    seconds(life, 0, 0, 0, 0, server=False)
    assert not life.none


def test_an_agent_lives_as_long_as_one_of_its_tracks_does() -> None:
    life = SignsOfLife()
    sends_in_silence(life)
    for _ in range(4):
        seconds(life, 0)
        seconds(life, 3, track="TR_2")
    assert not life.none


def test_a_reconnect_and_a_track_that_goes_begin_it_anew() -> None:
    life = SignsOfLife()
    sends_in_silence(life)
    seconds(life, 0, 0)
    life.begin_anew()
    seconds(life, 0)
    assert not life.none
    life.gone("TR_1")
    seconds(life, 0, 0, 0)
    assert not life.none
