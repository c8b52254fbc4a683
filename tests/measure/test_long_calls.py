"""A call of any length: each of its minutes is measured, and looked at, at the same cost, with the same results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Any, overload

import pytest

from harness.call.chat import Chat, outgoing
from harness.hearing import echo, voice
from harness.hearing.voice import Voice
from harness.measure import texts, turn_taking
from harness.measure.call import measure_call
from harness.measure.fitness import Fitness
from harness.timeline.events import TextCame
from harness.timeline.spans import CallSpans, TurnSpan, gather
from tests.measure import every_voice
from tests.measure.steps import steps_of
from tests.measure.timelines import COUNTED, SECOND, CallMade, long_call, ns, voices

# ms, about all that decides: where a voice ends for good, what is a backchannel, what goes on, what is one speech.
PAUSES = (0, 1, 200, 499, 500, 501, 1499, 1500, 2999, 3000, 4000, 20_000)
LENGTHS = (0, 40, 300, 999, 1000, 1001, 2500, 9000)


def random_voices(random: Random) -> list[Voice]:
    spans: list[tuple[float, float | None]] = []
    at = float(random.randrange(3000))
    for _ in range(random.randrange(30)):
        end = at + random.choice(LENGTHS)
        spans.append((at, end))
        at = end + random.choice(PAUSES)
    if spans and random.random() < 0.4:
        spans[-1] = (spans[-1][0], None)
    return voices(*spans)


def random_time(random: Random, spoken: Sequence[Voice]) -> int:
    """Anywhere, but for the most part at or beside an edge."""
    edges = [edge for each in spoken for edge in (each.onset_ns, each.end_ns) if edge is not None]
    if not edges or random.random() < 0.2:
        return ns(random.randrange(60_000))
    return random.choice(edges) + random.choice([-1, 0, 1, 700_000_000, -700_000_000])


def told(way: Any, spoken: Sequence[Voice], start_ns: int, end_ns: int, known_ns: int) -> list[object]:
    """All that is told of two times, by the one way or the other."""
    return [
        way.speaks_at(spoken, start_ns),
        way.stop_after(spoken, start_ns, known_until_ns=known_ns),
        way.talking_since(spoken, gap_ns=1_500_000_000, known_until_ns=known_ns),
        way.reply_to_speech(spoken, start_ns, end_ns),
        way.reply_to_text(spoken, start_ns),
        way.reply_to_barge_in(spoken, start_ns, end_ns),
    ]


@pytest.mark.parametrize("seed", range(8))
def test_what_is_told_of_voices_is_what_looking_at_all_of_them_tells(seed: int) -> None:
    random = Random(seed)
    for _ in range(200):
        spoken = random_voices(random)
        start_ns, end_ns, known_ns = sorted(random_time(random, spoken) for _ in range(3))
        if spoken:
            known_ns = max(known_ns, spoken[-1].onset_ns, spoken[-1].end_ns or 0)
        assert told(voice, spoken, start_ns, end_ns, known_ns) == told(every_voice, spoken, start_ns, end_ns, known_ns)
        over = {"known_until_ns": known_ns}
        assert turn_taking.talk_over_ns(spoken, start_ns, end_ns, **over) == every_voice.talk_over_ns(
            spoken, start_ns, end_ns, **over
        )
        assert turn_taking.dead_air_ns(spoken, start_ns, end_ns) == every_voice.dead_air_ns(spoken, start_ns, end_ns)
        delay_ms = random.choice([0.0, 120.0, 800.0])
        others = echo.without_echo(spoken, start_ns, end_ns, delay_ms, **over)
        all_others = every_voice.without_echo(spoken, start_ns, end_ns, delay_ms, **over)
        assert list(others) == all_others
        assert told(voice, others, start_ns, end_ns, known_ns) == told(
            every_voice, all_others, start_ns, end_ns, known_ns
        )


def random_turns(random: Random) -> list[TurnSpan]:
    turns = []
    at = 0.0
    for number in range(random.randrange(12)):
        at += random.choice([100, 1000, 5000])
        kind = random.choice(["say", "type", "barge_in"])
        turn = TurnSpan(number + 1, number, kind, random.choice(["One", " Two ", "Three"]), None, "en", ns(at))
        if random.random() < 0.8:
            turn.caller_end_ns = ns(at + random.choice([0, 900, 4000]))
            turn.caller_start_ns = ns(at + random.choice([0, 900]))
        turns.append(turn)
    return turns


@pytest.mark.parametrize("seed", range(5))
def test_each_text_has_the_turn_that_looking_at_all_turns_gives(seed: int) -> None:
    random = Random(seed)
    for _ in range(200):
        turns = random_turns(random)
        came = [
            TextCame(t_ns=ns(random.randrange(30_000)), role=random.choice(["reply", "transcript", "echo"]), text=text)
            for text in random.choices(["One", "Two", "Three", "Four"], k=20)
        ]
        came.sort(key=lambda event: event.t_ns)
        assigned = texts.assign_texts(turns, came)
        owners = every_voice.owners_of(turns, came)
        assert assigned.stray == sum(owner is None for _, owner in owners)
        for index, turn in enumerate([assigned.greeting, *assigned.turns], -1):
            own = [event for event, (_, owner) in zip(came, owners, strict=True) if owner == index]
            assert [piece.text for piece in turn.replies] == [event.text for event in own if event.role == "reply"]
            assert [piece.text for piece in turn.transcripts] == [
                event.text for event in own if event.role == "transcript"
            ]
            assert turn.echo_ns == next((event.t_ns for event in own if event.role == "echo"), None)


@pytest.mark.parametrize("seed", range(5))
def test_what_was_late_in_a_turn_is_found_wherever_it_lies_in_the_call(seed: int) -> None:
    random = Random(seed)
    unfit = 0
    for _ in range(100):
        call = CallMade(on_this_machine=random.random() < 0.5)
        for _ in range(random.randrange(40)):
            call.late(random.randrange(30_000), random.choice([21, 60, 101]))
        for _ in range(random.randrange(3)):
            call.event(random.randrange(30_000), "heard.overflow")
        for second in range(30):
            busy, buffer_ms = random.choice([0.2, 0.95]), random.choice([30.0, 300.0])
            told = {**SECOND, "busy": busy, "own_cpu": 0.2, "lag_ms": random.choice([1.0, 60.0])}
            call.event(1000 * second, "second", **told)
            call.event(1000 * second + 300, "media", **COUNTED, jitter_buffer_ms=buffer_ms)
        spans = gather(call.hung_up(31_000).events())
        start_ns, end_ns = sorted(ns(random.randrange(30_000)) for _ in range(2))
        near = CallSpans(
            first=spans.first,
            late=every_voice.within(spans.late, start_ns, end_ns),
            overflows=[t_ns for t_ns in spans.overflows if start_ns <= t_ns <= end_ns],
            seconds=every_voice.touching(spans.seconds, start_ns, end_ns),
            media=every_voice.touching(spans.media, start_ns, end_ns),
        )
        whole, part = Fitness(spans), Fitness(near)
        reasons = whole.unfit_reasons(start_ns, end_ns, None)
        assert reasons == part.unfit_reasons(start_ns, end_ns, None)
        assert whole.what_ran_out(start_ns, end_ns) == part.what_ran_out(start_ns, end_ns)
        unfit += bool(reasons)
    assert 10 < unfit < 95, "both are tried"


# -- cost ------------------------------------------------------------------------------------------------------------


class Counted(Sequence[Voice]):
    """Voices that count how often one is looked at."""

    def __init__(self, spoken: Sequence[Voice]) -> None:
        self.looks = 0
        self._spoken = spoken

    def __len__(self) -> int:
        return len(self._spoken)

    @overload
    def __getitem__(self, index: int) -> Voice: ...

    @overload
    def __getitem__(self, index: slice) -> list[Voice]: ...

    def __getitem__(self, index: int | slice) -> Voice | list[Voice]:
        if isinstance(index, slice):
            raise TypeError("a look copies no voices")
        self.looks += 1
        return self._spoken[index]


def talk(count: int) -> list[Voice]:
    """So many voices of 2 s, 4 s apart."""
    return voices(*((4000 * index, 4000 * index + 2000) for index in range(count)))


@cache
def talk_of_a_week() -> list[Voice]:
    return talk(150_000)


Look = Callable[[Sequence[Voice], int], object]
KNOWN_NS = 3_000_000_000
LOOKS: dict[str, Look] = {
    "speaks_at": voice.speaks_at,
    "stop_after": lambda spoken, at: voice.stop_after(spoken, at, known_until_ns=at + KNOWN_NS),
    "talking_since": lambda spoken, at: voice.talking_since(
        spoken, gap_ns=1_500_000_000, known_until_ns=spoken[-1].onset_ns
    ),
    "reply_to_speech": lambda spoken, at: voice.reply_to_speech(spoken, at, at + KNOWN_NS),
    "reply_to_text": voice.reply_to_text,
    "reply_to_barge_in": lambda spoken, at: voice.reply_to_barge_in(spoken, at, at + KNOWN_NS),
    "without_echo": lambda spoken, at: voice.reply_to_speech(
        echo.without_echo(spoken, at, at + KNOWN_NS, 100.0, known_until_ns=at + KNOWN_NS), at, at + KNOWN_NS
    ),
    "talk_over_ns": lambda spoken, at: turn_taking.talk_over_ns(spoken, at, at + KNOWN_NS, known_until_ns=at),
    "dead_air_ns": lambda spoken, at: turn_taking.dead_air_ns(spoken, at, at + KNOWN_NS),
}


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0], ids=["early", "midway", "at the end"])
def test_a_look_at_a_call_of_a_week_is_one_at_few_voices(name: str, share: float) -> None:
    spoken = Counted(talk_of_a_week())
    LOOKS[name](spoken, ns(share * 4000 * (len(spoken) - 2)))
    assert spoken.looks < 150, "a bisection takes 18, of which some looks make several"


def test_a_text_is_told_from_an_echo_without_a_look_at_all_those_that_were_never_echoed() -> None:
    chat = Chat()
    for number in range(1000):
        chat.sent(f"text {number}")
    steps = {number: steps_of(lambda number=number: chat.received(outgoing(f"text {number}"))) for number in (1, 999)}
    assert steps[1] == steps[999]


def test_each_minute_of_a_long_call_is_measured_at_the_cost_of_a_short_ones() -> None:
    short, long = ({"events": long_call(minutes).events(), "minutes": minutes} for minutes in (10, 60))
    a_minute = [steps_of(lambda call=call: measure_call(call["events"])) / call["minutes"] for call in (short, long)]
    assert a_minute[1] < 1.1 * a_minute[0]


def test_each_minute_of_a_long_call_has_the_numbers_of_a_short_ones() -> None:
    turns = measure_call(long_call(60).events()).turns
    assert len(turns) == 4 * 60
    told = {"ttfa_ms", "echo_ms", "reply_text_ms", "reply", "transcript", "talk_over_ms", "dead_air_ms", "stop_ms"}
    told |= {"exercised", "interrupted", "backchannels", "own_voice_db", "fit", "advice"}
    minutes = [[turn.model_dump(include=told) for turn in turns[first : first + 4]] for first in range(0, 240, 4)]
    assert all(minute == minutes[index % 6] for index, minute in enumerate(minutes))
    assert [turn["ttfa_ms"] for turn in minutes[0]] == [1000.0, 800.0, 1000.0, 1100.0]
