"""The timeline: on the disk as it happens, read back as it was, whatever it holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.call.timeline import Event, Timeline, read_timeline
from harness.errors import ConfigError


def test_every_event_is_on_the_disk_when_it_was_added(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    told: list[Event] = []
    timeline = Timeline(path.open("w", encoding="utf-8"), told.append)
    timeline.add(5, "call.started", call="c")
    assert json.loads(path.read_text(encoding="utf-8")) == {"t": 5, "event": "call.started", "call": "c"}
    timeline.add(6, "text", text="hi")
    assert read_timeline(path) == timeline.events == told
    timeline.close()


@pytest.mark.parametrize(
    "text", ["a\u2028b\u2029c\x85d", "a\nb\r\nc\x0b\x0c\x1c", "\x00\x1b[31m", "caf\u00e9 \U0001f600", '"\\']
)
def test_any_text_is_read_back_as_it_was(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.jsonl"
    timeline = Timeline(path.open("w", encoding="utf-8"))
    timeline.add(5, "text", text=text)
    timeline.add(6, "hung_up")
    timeline.close()
    assert read_timeline(path) == [{"t": 5, "event": "text", "text": text}, {"t": 6, "event": "hung_up"}]


def test_a_lone_surrogate_does_not_lose_the_event(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    timeline = Timeline(path.open("w", encoding="utf-8"))
    timeline.add(5, "text", text="a\ud800b", type="\udfff")
    timeline.close()
    assert read_timeline(path) == timeline.events == [{"t": 5, "event": "text", "text": "a?b", "type": "?"}]


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"t": 1, "event": "a"}\n\n{"t": 2, "event": "b"}\n{"t": 3, "eve', encoding="utf-8")
    assert [event["event"] for event in read_timeline(path)] == ["a", "b"]


def test_a_full_disk_is_kept_as_broken_and_the_call_goes_on() -> None:
    timeline = Timeline(Path("/dev/full").open("w", encoding="utf-8"))  # noqa: SIM115 - the timeline closes it
    timeline.add(1, "a")
    timeline.add(2, "b")
    timeline.close()
    assert timeline.broken is not None
    assert timeline.broken.kind == "harness.disk"
    assert [event["event"] for event in timeline.events] == ["a", "b"]


def test_a_timeline_of_a_format_that_is_not_known_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "timeline.jsonl"
    path.write_text('{"t": 1, "event": "call.started", "version": 7}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="its format is version 7"):
        read_timeline(path)
    path.write_text('{"t": 1, "event": "call.started"}\n', encoding="utf-8")
    assert read_timeline(path) == [{"t": 1, "event": "call.started"}]
