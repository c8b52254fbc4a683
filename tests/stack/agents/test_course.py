"""What a line must be able to do for an agent's course: only some lines change the track of their voice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.stack.agents.course import Course, Doings
from harness.stack.agents.light_line import LightAgentLine
from harness.stack.agents.line import ChangingLine
from harness.stack.agents.sdk_line import SdkAgentLine
from harness.stack.shape import Shape, Tracks


class Line(LightAgentLine):
    """A line in no room."""

    def __init__(self) -> None:
        self.over = self.caller_came = asyncio.Event()
        self.on_text = lambda text, at_ns: None
        self.on_published = lambda track: None


class Changing(Line):
    """A line that notes how its track is changed."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []

    async def republish(self, *, overlap: bool) -> None:
        self.done.append(f"republished, overlap {overlap}")

    def mute(self, *, on: bool) -> None:
        self.done.append(f"muted {on}")


def a_course(line: Line, shape: Shape, logged: list[str]) -> Course:
    def log(event: str, **_: Any) -> None:
        logged.append(event)

    doings = Doings(lambda: None, lambda: asyncio.sleep(0), lambda: asyncio.sleep(0))
    return Course(shape, line, asyncio.Event(), doings, log)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.stack.agents.course.PLAYED_OUT_S", 0)


async def test_a_voice_is_unmuted_to_speak_and_muted_after() -> None:
    line = Changing()
    course = a_course(line, Shape(tracks=Tracks(muted=True)), [])
    course.begins()
    await course.ended(0)
    assert line.done == ["muted False", "muted True"]


async def test_a_voice_moves_to_a_new_track_after_each_reply_but_not_after_the_greeting() -> None:
    line, logged = Changing(), list[str]()
    course = a_course(line, Shape(tracks=Tracks(republish="gap")), logged)
    await course.ended(0)
    await course.ended(1)
    assert line.done == ["republished, overlap False"]
    assert logged == ["republished"]


async def test_a_line_with_one_track_for_good_is_left_as_it_is() -> None:
    line, logged = Line(), list[str]()
    assert not isinstance(line, ChangingLine)
    course = a_course(line, Shape(), logged)
    course.begins()
    await course.ended(1)
    assert logged == []


def test_the_sdk_s_line_can_change_its_track() -> None:
    assert {"republish", "mute"} <= set(dir(SdkAgentLine))
    assert not {"republish", "mute"} & set(dir(LightAgentLine))
