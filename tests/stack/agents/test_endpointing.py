from __future__ import annotations

from harness.stack.agents.endpointing import (
    CHUNK,
    CHUNK_MS,
    Ended,
    Endpointer,
    Paused,
    Resumed,
    VoiceBegan,
    VoiceGoesOn,
)

SPEECH, SILENCE = 0.9, 0.01


def events_of(*stretches: tuple[float, int], endpointing_s: float = 0.5) -> list[tuple[int, object]]:
    """(milliseconds at which it was decided, event) for stretches of (probability, milliseconds)."""
    endpointer, found, chunk = Endpointer(endpointing_s), [], 0
    for probability, length_ms in stretches:
        for _ in range(length_ms // CHUNK_MS):
            chunk += 1
            found += [(chunk * CHUNK_MS, event) for event in endpointer.chunk(probability)]
    return found


def kinds(events: list[tuple[int, object]]) -> list[type]:
    return [type(event) for _, event in events]


def test_an_utterance_ends_where_its_speech_ended_and_is_decided_after_the_endpointing() -> None:
    events = events_of((SILENCE, 320), (SPEECH, 960), (SILENCE, 960))
    assert kinds(events) == [VoiceBegan, VoiceGoesOn, Paused, Ended]
    assert events[0][1] == VoiceBegan(10 * CHUNK)
    decided_ms, ended = events[-1]
    assert isinstance(ended, Ended)
    assert (ended.start, ended.end) == (10 * CHUNK, 40 * CHUNK)
    assert 500 <= decided_ms - 1280 < 500 + CHUNK_MS


def test_recognition_starts_early_and_is_taken_back_when_the_caller_goes_on() -> None:
    events = events_of((SPEECH, 640), (SILENCE, 320), (SPEECH, 640), (SILENCE, 640))
    assert kinds(events) == [VoiceBegan, VoiceGoesOn, Paused, Resumed, Paused, Ended]
    assert 200 <= events[2][0] - 640 <= 200 + CHUNK_MS


def test_a_short_sound_never_takes_the_turn() -> None:
    events = events_of((SPEECH, 480), (SILENCE, 640))
    assert VoiceGoesOn not in kinds(events)
    ended = events[-1][1]
    assert isinstance(ended, Ended)
    assert not ended.took_turn


def test_two_short_sounds_with_a_pause_are_no_sentence() -> None:
    events = events_of((SPEECH, 416), (SILENCE, 416), (SPEECH, 416), (SILENCE, 640))
    assert VoiceGoesOn not in kinds(events)


def test_a_sentence_with_short_gaps_between_words_takes_the_turn() -> None:
    events = events_of((SPEECH, 192), (SILENCE, 288), (SPEECH, 256), (SILENCE, 640))
    assert VoiceGoesOn in kinds(events)


def test_a_click_is_nothing() -> None:
    assert kinds(events_of((SPEECH, 32), (SILENCE, 960))) == [VoiceBegan]


def test_longer_endpointing_waits_longer() -> None:
    decided_ms, _ = events_of((SPEECH, 640), (SILENCE, 1600), endpointing_s=1.2)[-1]
    assert 1200 <= decided_ms - 640 < 1200 + CHUNK_MS
