"""The timeline: on the disk as it happens, read back as it was, whatever it holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.timeline.events import CallStarted, Cut, Event, HungUp, TextCame
from harness.timeline.timeline import Timeline, read_timeline


def test_every_event_is_on_the_disk_when_it_was_added(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    told: list[Event] = []
    timeline = Timeline(path.open("w", encoding="utf-8"), told.append)
    timeline.add(HungUp(t_ns=5))
    assert json.loads(path.read_text(encoding="utf-8")) == {"t": 5, "event": "hung_up"}
    timeline.add(TextCame(t_ns=6, role="reply", text="hi"))
    assert read_timeline(path) == timeline.events == told
    timeline.close()


@pytest.mark.parametrize(
    "text", ["a\u2028b\u2029c\x85d", "a\nb\r\nc\x0b\x0c\x1c", "\x00\x1b[31m", "caf\u00e9 \U0001f600", '"\\']
)
def test_any_text_is_read_back_as_it_was(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.jsonl"
    timeline = Timeline(path.open("w", encoding="utf-8"))
    events = [TextCame(t_ns=5, role="reply", text=text), HungUp(t_ns=6)]
    for event in events:
        timeline.add(event)
    timeline.close()
    assert read_timeline(path) == events


def test_a_lone_surrogate_does_not_lose_the_event(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    timeline = Timeline(path.open("w", encoding="utf-8"))
    timeline.add(TextCame(t_ns=5, role="reply", text="a\ud800b", type="\udfff"))
    timeline.close()
    assert read_timeline(path) == timeline.events == [TextCame(t_ns=5, role="reply", text="a?b", type="?")]


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"t": 1, "event": "cut"}\n\n{"t": 2, "event": "hung_up"}\n{"t": 3, "eve', encoding="utf-8")
    assert read_timeline(path) == [Cut(t_ns=1), HungUp(t_ns=2)]


def test_an_event_of_a_name_that_is_not_known_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"t": 1, "event": "cut"}\n{"t": 2, "event": "of.later", "x": 1}\n[]\n', encoding="utf-8")
    assert read_timeline(path) == [Cut(t_ns=1)]


def test_a_full_disk_is_kept_as_broken_and_the_call_goes_on() -> None:
    timeline = Timeline(Path("/dev/full").open("w", encoding="utf-8"))  # noqa: SIM115 - the timeline closes it
    timeline.add(Cut(t_ns=1))
    timeline.add(HungUp(t_ns=2))
    timeline.close()
    assert timeline.broken is not None
    assert timeline.broken.kind == "harness.disk"
    assert timeline.events == [Cut(t_ns=1), HungUp(t_ns=2)]


def test_a_timeline_of_a_format_that_is_not_known_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "timeline.jsonl"
    path.write_text('{"t": 1, "event": "call.started", "version": 7}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="its format is version 7"):
        read_timeline(path)
    path.write_text('{"t": 1, "event": "call.started"}\n', encoding="utf-8")
    assert read_timeline(path) == [CallStarted(t_ns=1)]


def test_an_event_without_what_it_must_have_is_no_event(tmp_path: Path) -> None:
    path = tmp_path / "timeline.jsonl"
    path.write_text('{"t": 1, "event": "turn.ended", "why": "replied"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"turn\.ended: field required \(turn\)"):
        read_timeline(path)
