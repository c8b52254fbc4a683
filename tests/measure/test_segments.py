"""Texts as services send them: what grows, comes again, is revised or comes in tokens is one text of a turn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from harness.call.chat import Chat, ChatText, Junk
from harness.measure.segments import Piece, settle_reply
from harness.record.result import TurnResult
from tests.measure.timelines import CallMade

SAID = "When do you open on Sunday?"


def heard(frames: Sequence[str | dict[str, Any]], *, said: str = SAID, kind: str = "user_text") -> TurnResult:
    """A spoken turn from 3 to 5 s whose frames come from 5.1 s on, 100 ms apart."""
    call, chat = CallMade().say(3000, 5000, 9000, text=said), Chat()
    for number, frame in enumerate(frames):
        fields = {"text": frame} if isinstance(frame, str) else frame
        received = chat.received(json.dumps({"type": kind, **fields}).encode())
        if isinstance(received, ChatText):
            call.event(5100 + 100 * number, "text", **received.fields())
        elif isinstance(received, Junk):
            space = received.space.fields() if received.space else {}
            call.event(5100 + 100 * number, "text.junk", why=received.why, **space)
    return call.hung_up(9100).measured().turns[0]


GROWING = ["When", "When do", "when do you open", "When do you open on Sunday?"]
REVISED = ["Wendy you", "When do you open on some", "When do you open on Sunday?"]


@pytest.mark.parametrize(
    ("frames", "transcript", "at_ms"),
    [
        (["When do you open on Sunday?"], SAID, 100),
        (GROWING, SAID, 400),
        ([*GROWING, SAID, SAID], SAID, 400),
        (REVISED, SAID, 300),
        (["when do you open on sunday now", SAID], SAID, 200),
        (["When do", " you", " open on Sun", "day?"], SAID, 400),
        (["When ", "do ", "you ", "open ", "on ", "Sun", "day?"], SAID, 700),
        (["When", " ", "do", " ", "you open", " ", "on Sunday?"], SAID, 700),
        (["When do you open", "on Sunday?"], "When do you open on Sunday?", 200),
        (["When do you open", "on Sunday?", "When do you open", "on Sunday?"], SAID, 200),
        ([" When do you open on Sunday?", " When do you open on Sunday?"], SAID, 100),
        ([{"text": "Uh", "is_final": False}, {"text": SAID, "is_final": True}], SAID, 200),
        ([{"text": SAID, "final": False}, {"text": SAID, "final": True}, {"text": SAID, "final": True}], SAID, 200),
        ([{"text": "Hm", "segment_id": 1}, {"text": SAID, "segment_id": 1}], SAID, 200),
        (
            [
                {"text": "When do you", "segment_id": "a"},
                {"text": "on", "segment_id": "b"},
                {"text": "When do you open", "segment_id": "a"},
                {"text": "on Sunday?", "segment_id": "b"},
            ],
            SAID,
            400,
        ),
        ([{"text": text, "id": str(number)} for number, text in enumerate(GROWING)], SAID, 400),
        ([{"text": text, "id": "one"} for text in REVISED], SAID, 300),
        (["When", " do", " you", " open", " on", " Sunday?", SAID], SAID, 700),
    ],
)
def test_a_perfect_recogniser_has_no_errors_however_it_sends_its_words(
    frames: list[str | dict[str, Any]], transcript: str, at_ms: float
) -> None:
    turn = heard(frames)
    assert (turn.transcript, turn.wer, turn.transcript_ms) == (transcript, 0, at_ms)


@pytest.mark.parametrize(
    ("said", "frames"),
    [
        ("When do you open? When do you close?", ["When do you open?", "When do you close?"]),
        ("No. No. I said no.", ["No.", "No.", "I said no."]),
        ("Five five five, one two", ["five", " five", " five", " one", " two"]),
        ("No. No, thanks.", ["No.", "No, thanks."]),
        ("Yes. Yes please.", [{"text": "Yes.", "segment_id": 1}, {"text": "Yes please.", "segment_id": 2}]),
    ],
)
def test_what_was_said_twice_is_heard_twice(said: str, frames: list[str | dict[str, Any]]) -> None:
    assert heard(frames, said=said).wer == 0


@pytest.mark.parametrize(
    ("frames", "wer"),
    [
        (["When do you close on Sunday?"], 1 / 6),
        (["When do you open", "When do you close on Sunday?"], 1 / 6),
        (["When do you", " open on", " Monday?"], 1 / 6),
        (["When do you open", "on Monday?", "on Monday?"], 1 / 6),
        (["When do you"], 3 / 6),
        ([{"text": SAID, "final": False}, {"text": "When do you open?", "final": True}], 2 / 6),
        ([{"text": SAID, "segment_id": 1}, {"text": "Goodbye", "segment_id": 1}], 1),
    ],
)
def test_a_wrong_word_is_none_the_less_wrong(frames: list[str | dict[str, Any]], wer: float) -> None:
    assert heard(frames).wer == pytest.approx(wer, abs=1e-4)


@pytest.mark.parametrize(
    ("frames", "reply"),
    [
        (["At n", "ine th", "irty"], "At n ine th irty"),  # nothing tells where the spaces were
        (["At", " n", "ine", " th", "irty", "."], "At nine thirty."),
        (["At ", "nine ", "thir", "ty."], "At nine thirty."),
        (["At", "At nine", "At nine thirty."], "At nine thirty."),
        (["At nine.", "Every day."], "At nine. Every day."),
        (["At nine. ", "Every day."], "At nine. Every day."),
        (["At nine.\n", "Every day."], "At nine.\nEvery day."),
        (["At", " nine", ".", "Every", " day", "."], "At nine. Every day."),
        (["We open at nine.", "We close at nine."], "We open at nine. We close at nine."),
        (["九点", "半开门", "。"], "九点半开门。"),
        (["5", " 5", " 5", " 1"], "5 5 5 1"),
        ([{"text": "At", "id": "r"}, {"text": " nine", "id": "r"}], "At nine"),
        ([{"text": "At nine.", "id": "r"}, {"text": "Every day.", "id": "r"}], "At nine. Every day."),
        ([{"text": "At", "id": "r"}, {"text": "At nine", "id": "r"}], "At nine"),
        ([{"text": "nine", "type": "text_delta"}, {"text": "ty", "type": "text_delta"}], "ninety"),
    ],
)
def test_replies_are_joined_as_they_were_written(frames: list[str | dict[str, Any]], reply: str) -> None:
    turn = heard(frames, kind="agent_text")
    assert turn.reply == reply
    assert turn.reply_text_ms == 100


def test_a_segment_that_goes_on_into_the_next_turn_is_the_turns_in_which_it_began() -> None:
    call = CallMade().say(3000, 5000, 7000).say(7200, 8000, 12_000)
    for at_ms, text in ((5200, "At"), (8500, "At nine.")):
        call.event(at_ms, "text", role="reply", text=text, type="reply", segment="r1")
    call.event(8400, "text", role="transcript", text="When?", type="user_text", segment="t1")
    call.event(8600, "text", role="reply", text="Yes.", type="reply", segment="r2")
    turns = call.hung_up(12_100).measured().turns
    assert [turn.reply for turn in turns] == ["At nine.", "Yes."]
    assert [turn.transcript for turn in turns] == ["", "When?"]


def test_a_transcript_before_a_barge_in_has_spoken_is_the_turns_before() -> None:
    call = CallMade().say(3000, 5000, 6000, text="When do you open?", why="barge_in").agent(5900, 9000)
    call.barge_in(8000, 8500, 12_000, over=5900, text="Thanks")
    call.event(6050, "turn.started", turn=2, step=1, kind="barge_in", text="Thanks", fixture=None, language="en")
    call.text(7000, "transcript", "When do you open?").text(9000, "transcript", "Thanks.")
    first, second = call.hung_up(12_100).measured().turns
    assert (first.transcript, first.wer) == ("When do you open?", 0)
    assert (second.transcript, second.wer) == ("Thanks.", 0)


def test_an_echo_that_only_looks_alike_is_counted_and_noted() -> None:
    call = CallMade().type(3000, 5000, text="nine-thirty?").type(6000, 7000, text="Thanks")
    call.text(3050, "echo", "nine\u2011thirty?").text(6050, "echo", "Thanks")
    measured = call.hung_up(9100).measured()
    assert [turn.echo_ms for turn in measured.turns] == [50, 50]
    assert (measured.altered_echoes, measured.stray_texts) == (1, 0)
    assert any("looks alike" in note for note in measured.notes)


@pytest.mark.parametrize(
    "tokens",
    [
        ["It", " is", " moved", " to", " tomorrow", "."],
        ["We", " are", " at", " the", " theatre", "."],
        ["Tables", " for", " forty", " people", "."],
        ["It is ", "1", "15 ", "euros"],
        ["a", " and", " b"],
        ["I", " is"],
    ],
)
@pytest.mark.parametrize("fields", [{}, {"type": "reply.delta"}, {"segment": "s"}])
def test_a_token_that_begins_as_the_one_before_takes_nothing_away(tokens: list[str], fields: dict[str, Any]) -> None:
    pieces = [Piece(text=token.strip(), t_ns=at, written=token, **fields) for at, token in enumerate(tokens)]
    assert settle_reply(pieces).text == "".join(tokens).strip()


def test_frames_of_a_delta_type_that_hold_all_of_it_grow() -> None:
    frames = ["We open", "We open at nine", "We open at nine, every day."]
    pieces = [Piece(text=text, t_ns=at, written=text, type="reply.delta") for at, text in enumerate(frames)]
    assert settle_reply(pieces).text == frames[-1]
