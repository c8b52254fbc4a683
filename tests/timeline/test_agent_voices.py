"""The agent's voice out of all tracks, put together as it goes and always as if from scratch."""

from __future__ import annotations

import random

import pytest

from harness.hearing.voice import Voice
from harness.timeline.agent_voices import AgentVoices

S = 1_000_000_000


def heard(*agents: str) -> AgentVoices:
    voices = AgentVoices()
    for agent in agents[:1]:
        voices.chosen(agent)
    return voices


def spans(voices: AgentVoices) -> list[tuple[int, int | None]]:
    return [(voice.onset_ns, voice.end_ns) for voice in voices.voices]


def test_a_voice_on_any_track_is_the_agents_and_two_at_once_are_one() -> None:
    voices = heard("agent")
    voices.track_came(0, "a", "agent")
    voices.track_came(0, "b", "agent")
    voices.track_came(0, "c", "somebody")
    voices.onset("a", 10)
    voices.onset("b", 15)
    voices.onset("c", 1)
    voices.end("a", 20, 10)
    assert spans(voices) == [(10, None)]
    voices.end("b", 30, 15)
    voices.onset("a", 40)
    voices.end("a", 50, 40)
    assert spans(voices) == [(10, 30), (40, 50)]


def test_what_was_noise_was_no_voice() -> None:
    voices = heard("agent")
    voices.track_came(0, "a", "agent")
    voices.track_came(0, "b", "agent")
    voices.onset("a", 10)
    voices.onset("b", 12)
    voices.end("a", 30, None)
    voices.end("b", 30, 20)
    assert spans(voices) == [(20, 30)]


def test_the_list_stays_the_same_object() -> None:
    voices = heard("agent")
    known = voices.voices
    voices.track_came(0, "a", "agent")
    voices.onset("a", 10)
    voices.chosen("other")
    assert known is voices.voices
    assert known == []


def test_a_track_that_is_no_microphone_is_background_beside_one() -> None:
    voices = heard("agent")
    voices.track_came(0, "bed", "agent", source="unknown")
    voices.track_came(S // 10, "voice", "agent")
    voices.onset("bed", 2 * S)
    voices.onset("voice", 3 * S)
    voices.end("voice", 4 * S, 3 * S)
    assert spans(voices) == [(3 * S, 4 * S)]
    assert [voice.onset_ns for voice in voices.background()] == [2 * S]


def test_an_agent_without_any_microphone_is_heard_on_what_it_has() -> None:
    voices = heard("agent")
    voices.track_came(0, "voice", "agent", source="unknown")
    voices.onset("voice", S)
    assert spans(voices) == [(S, None)]


def test_a_voice_that_moved_to_a_track_of_no_kind_is_no_background() -> None:
    voices = heard("agent")
    voices.track_came(0, "old", "agent")
    voices.track_came(10 * S, "new", "agent", source="unknown")
    voices.track_gone(10 * S + S // 5, "old")
    voices.onset("new", 12 * S)
    assert spans(voices) == [(12 * S, None)]


def test_the_one_that_was_taken_for_the_agent_was_never_heard_as_it() -> None:
    voices = heard("music")
    voices.track_came(0, "m", "music")
    voices.onset("m", 1)
    voices.track_came(5, "a", "agent")
    voices.onset("a", 6)
    voices.chosen("agent")
    assert spans(voices) == [(6, None)]
    assert (voices.identities, voices.is_agent("music")) == (["agent"], False)


def test_who_follows_counts_from_where_the_first_fell_silent() -> None:
    voices = heard("one")
    voices.track_came(0, "1", "one")
    voices.track_came(0, "2", "two")
    voices.onset("2", 2)
    voices.end("2", 4, 2)
    voices.onset("1", 5)
    voices.end("1", 10, 5)
    voices.onset("2", 12)
    voices.handed_over("two")
    assert spans(voices) == [(5, 10), (12, None)]
    assert voices.identities == ["one", "two"]


@pytest.mark.parametrize("first", ["avatar", "agent"])
def test_an_avatar_is_heard_whether_its_agent_is_known_before_or_after_it(first: str) -> None:
    voices = heard(first)
    voices.participant("avatar", "agent")
    voices.track_came(0, "v", "avatar")
    voices.onset("v", 5)
    assert spans(voices) == [(5, None)]
    voices.chosen("agent")
    voices.end("v", 9, 5)
    assert spans(voices) == [(5, 9)]
    assert voices.is_agents("v")


def test_a_timeline_without_tracks_is_all_the_agents() -> None:
    voices = AgentVoices()
    voices.onset("", 5)
    voices.end("", 9, 5)
    assert spans(voices) == [(5, 9)]
    assert voices.is_agents("")


def test_what_is_put_together_bit_by_bit_is_what_it_is_from_scratch() -> None:
    rng = random.Random(7)
    for _ in range(200):
        voices = heard("agent")
        tracks = ["a", "b", "c"]
        for track in tracks:
            voices.track_came(0, track, "agent")
        t_ns = 0
        for _ in range(40):
            t_ns += rng.randint(1, 50)
            track = rng.choice(tracks)
            if voices.voiced(track):
                onset_ns = voices.last_onset_ns(track)
                began_ns = rng.choice([onset_ns, onset_ns, None, rng.randint(onset_ns, t_ns)])
                voices.end(track, t_ns, began_ns)
            else:
                # An onset is dated back, but not before the track's last end.
                ends = [voice.end_ns or 0 for voice in voices.tracks[track].voices]
                voices.onset(track, max([t_ns - rng.randint(0, 60), *(end + 1 for end in ends)]))
            whole = AgentVoices()
            whole.chosen("agent")
            for each in tracks:
                whole.track_came(0, each, "agent")
                whole.tracks[each].voices = [
                    Voice(voice.onset_ns, voice.end_ns) for voice in voices.tracks[each].voices
                ]
            whole.chosen("agent")
            assert voices.voices == whole.voices


def test_the_newest_track_is_one_that_is_there_and_background_only_where_there_is_nothing_else() -> None:
    voices = heard("agent")
    assert voices.newest() is None
    voices.track_came(0, "voice", "agent")
    voices.track_came(1, "bed", "agent", source="unknown")
    voices.track_came(2, "other", "somebody")
    assert voices.newest() == "voice"
    voices.track_gone(3, "voice")
    assert voices.newest() == "bed"
