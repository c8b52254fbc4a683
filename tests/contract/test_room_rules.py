"""What the rules of the room make of what was seen there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.contract.check import judge
from harness.contract.evidence import Evidence, Frame, RoomSeen

TYPED = "What are your opening hours?"


def frame(content: Any, *, after: bool = True) -> Frame:
    payload = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Frame(payload, "agent", after_typing=after)


ECHO, REPLY = frame({"type": "user_text", "text": TYPED}), frame({"type": "reply", "message": "From nine to six."})
GREETED = frame({"type": "reply", "text": "Good evening to you all."}, after=False)
RIGHT = RoomSeen(
    greeting="Hello.",
    joined=True,
    agent="agent",
    others=("agent",),
    audio_tracks=1,
    spoke=True,
    typed=TYPED,
    frames=(frame({"type": "reply", "text": "Hello."}, after=False), ECHO, REPLY),
    left_behind=(),
)
LATE = replace(RIGHT, greeting="Good evening to you all.")


def outcomes(seen: RoomSeen | None) -> dict[str, str]:
    checked = judge(Evidence("demo", 0.0, room=seen))
    return {finding.id: finding.outcome for finding in checked.findings if finding.id.startswith("room.")}


def broken(seen: RoomSeen) -> set[str]:
    return {name for name, outcome in outcomes(seen).items() if outcome == "broken"}


def test_a_right_room_meets_all() -> None:
    assert set(outcomes(RIGHT).values()) == {"met"}


def test_no_room_is_not_tried() -> None:
    assert set(outcomes(None).values()) == {"not_tried"}


@pytest.mark.parametrize(
    ("seen", "rule"),
    [
        (RoomSeen(problem="the room could not be joined: invalid token"), "room.joined"),
        (replace(RIGHT, problem="the token does not allow it"), "room.joined"),
        (replace(RIGHT, audio_tracks=0), "room.audio"),
        (replace(RIGHT, audio_tracks=2), "room.audio"),
        (replace(RIGHT, spoke=False), "room.greeting"),
        (replace(RIGHT, greeting="Good evening."), "room.greeting.override"),
        (
            replace(
                RIGHT, greeting="Good evening to you all.", frames=(GREETED, ECHO, replace(GREETED, after_typing=True))
            ),
            "room.reply",
        ),
        (replace(RIGHT, frames=(REPLY,)), "room.echo"),
        (replace(RIGHT, frames=(frame({"type": "user_text", "text": "Opening hours"}), REPLY)), "room.echo"),
        (replace(RIGHT, frames=(replace(ECHO, after_typing=False), REPLY)), "room.echo"),
        (replace(RIGHT, frames=(ECHO,)), "room.reply"),
        (replace(RIGHT, frames=(ECHO, frame({"type": "reply", "text": "  "}))), "room.reply"),
        (replace(RIGHT, frames=(ECHO, REPLY, frame(b"hello"))), "room.reply.form"),
        (replace(RIGHT, frames=(ECHO, REPLY, frame(b"\xff\xfe"))), "room.reply.form"),
        (replace(RIGHT, frames=(ECHO, REPLY, frame(["reply"]))), "room.reply.form"),
        (replace(RIGHT, frames=(ECHO, REPLY, frame({"text": "no type"}))), "room.reply.form"),
        (replace(RIGHT, frames=(ECHO, REPLY, frame({"type": "reply", "words": "?"}))), "room.reply.form"),
        (replace(RIGHT, left_behind=("agent",)), "room.left"),
    ],
)
def test_the_rule_that_a_room_breaks_is_named(seen: RoomSeen, rule: str) -> None:
    assert broken(seen) == {rule}


@pytest.mark.parametrize("text", ["Good even", "GOOD EVENING, to you all!", "Well. Good evening to you all."])
def test_a_greeting_that_came_in_parts_or_was_cut_short_is_the_one_of_the_override(text: str) -> None:
    early = frame({"type": "reply", "text": text}, after=False)
    seen = replace(RIGHT, greeting="Good evening to you all.", frames=(early, ECHO, REPLY))
    assert set(outcomes(seen).values()) == {"met"}


def test_a_greeting_without_a_text_is_not_tried() -> None:
    found = outcomes(replace(RIGHT, frames=(ECHO, REPLY)))
    assert found.pop("room.greeting.override") == "not_tried"
    assert set(found.values()) == {"met"}


def test_two_echoes_are_advised_against() -> None:
    found = outcomes(replace(RIGHT, frames=(*RIGHT.frames, ECHO)))
    assert found.pop("room.echo.once") == "advice"
    assert set(found.values()) == {"met"}


def test_without_an_agent_what_it_should_do_is_not_tried() -> None:
    seen = RoomSeen(joined=True, others=("somebody",), left_behind=())
    assert broken(seen) == {"room.agent"}
    assert outcomes(seen)["room.echo"] == outcomes(seen)["room.greeting"] == "not_tried"


def test_a_room_that_nobody_could_look_at_again_is_not_tried() -> None:
    seen = replace(RIGHT, left_behind=None, not_looked="the room could not be looked at again")
    assert outcomes(seen)["room.left"] == "not_tried"
