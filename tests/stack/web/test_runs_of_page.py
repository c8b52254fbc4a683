"""The timelines of runs: as they grow, and of no other file than those."""

from __future__ import annotations

import json
from pathlib import Path

from harness.stack.web.runs import RunCalls, Runs
from tests.stack.web.opened import KEY, opened

ENDED = '{"t": 9, "event": "call.ended"}\n'


def add(runs: Path, run: str, call: str, text: str = "") -> Path:
    folder = runs / run / "timelines"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{call}.jsonl"
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
    return path


async def test_a_timeline_is_told_as_it_grows(built: Path, tmp_path: Path) -> None:
    runs = tmp_path / "reports"
    async with opened(built, runs=runs) as page, page.followed() as socket:
        assert (await socket.told("hello"))["runs"] == str(runs)
        assert (await socket.told("runs"))["runs"] == []
        add(runs, "one", "0001-x", '{"t": 1, "event": "call.started", "version": 1}\n')
        assert (await socket.told("runs"))["runs"] == [{"run": "one", "ended": False}]
        await socket.look(run="one", follow=["one", "0001-x"])
        assert (await socket.told("run_calls"))["calls"] == [{"call": "0001-x", "ended": False}]
        told = await socket.told("timeline", start=0)
        assert [event["event"] for event in told["events"]] == ["call.started"]
        said = f'{{"t": 2, "event": "text", "role": "reply", "text": "{KEY.reveal()}"}}\n'
        add(
            runs,
            "one",
            "0001-x",
            '{"t": 2, "event": "second", "sent": 1, "send_late_ms": 0, "lag_ms": 0, "heard": 1}\n',
        )
        add(runs, "one", "0001-x", said + ENDED[:10])
        told = await socket.told("timeline", start=1)
        assert [(event["event"], event.get("text")) for event in told["events"]] == [("text", "***")]
        add(runs, "one", "0001-x", ENDED[10:])
        assert (await socket.told("timeline", start=2))["events"] == [{"t": 9, "event": "call.ended"}]
        assert (await socket.told("run_calls"))["calls"] == [{"call": "0001-x", "ended": True}]


async def test_a_timeline_that_cannot_be_read_is_said(built: Path, tmp_path: Path) -> None:
    add(tmp_path, "one", "0001-x", '{"t": 1, "event": "call.started", "version": 7}\n')
    async with opened(built, runs=tmp_path) as page, page.followed() as socket:
        await socket.look(follow=["one", "0001-x"])
        assert "version 7" in (await socket.told("problem"))["what"]


async def test_no_other_file_is_read_whatever_the_names_are_made_of(built: Path, tmp_path: Path) -> None:
    runs = tmp_path / "reports"
    add(runs, "one", "0001-x")
    canary = '{"t": 1, "event": "text", "role": "reply", "text": "canary"}\n'
    add(tmp_path, "outside", "0001-x", canary)
    (runs / "one" / "secret.jsonl").write_text(canary)
    (runs / "one" / "timelines" / "link.jsonl").symlink_to(tmp_path / "outside" / "timelines" / "0001-x.jsonl")
    (runs / "away").symlink_to(tmp_path / "outside")
    names = [
        ("../outside", "0001-x"),
        ("one/../../outside", "0001-x"),
        (str(tmp_path / "outside"), "0001-x"),
        ("away", "0001-x"),
        ("one", "../secret"),
        ("one", "../../../outside/timelines/0001-x"),
        ("one", str(tmp_path / "outside" / "timelines" / "0001-x")),
        ("one", "link"),
        ("one", "0001-x\0"),
        ("one", ".."),
        (".", "0001-x"),
    ]
    async with opened(built, runs=runs) as page, page.followed() as socket:
        for run, call in names:
            await socket.look(follow=[run, call])
            assert (await socket.told("problem"))["what"] == "There is no such timeline."
        for run in ("../outside", "away", "", "."):
            await socket.look(run=run)
            assert (await socket.told("problem"))["what"] == "There is no such run."
        assert "canary" not in json.dumps(socket.texts)


async def test_without_a_folder_there_are_no_runs(built: Path) -> None:
    async with opened(built) as page, page.followed() as socket:
        assert (await socket.told("hello"))["runs"] is None
        await socket.look(follow=["one", "0001-x"], run="one")
        await socket.told("problem", what="There is no such run.")
        await socket.told("problem", what="There is no such timeline.")


def test_a_run_directory_itself_is_one_run_and_running_calls_come_first(tmp_path: Path) -> None:
    for call, text in (("0001-x", ENDED), ("0002-x", ""), ("0003-x", ENDED)):
        add(tmp_path, "one", call, text)
    runs = Runs(tmp_path / "one")
    assert runs.told() == [{"run": "one", "ended": False}]
    folder = runs.find("one")
    assert folder is not None
    calls = RunCalls(folder)
    told = calls.told()
    assert [(call["call"], call["ended"]) for call in told["calls"]] == [
        ("0002-x", False),
        ("0003-x", True),
        ("0001-x", True),
    ]
    (folder / "summary.json").write_text("{}")
    assert all(call["ended"] for call in calls.told()["calls"])
    assert runs.told() == [{"run": "one", "ended": True}]
    assert runs.timeline("one", "0001-x") is not None
