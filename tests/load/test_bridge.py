"""Calls in shards by way of gevent: real shards, in a process of their own that gevent rules."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from harness.testing import FakeSessionService, hanging, refusal

ROOT = Path(__file__).parents[2]
CUT = {"failure": None, "cut": True, "ok": None}


async def bridged(folder: Path, url: str, mode: str) -> dict[str, Any]:
    words = ("-m", "tests.load.bridge_calls", str(folder), url, mode)
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
    out, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0
    told: dict[str, Any] = json.loads(out)
    return told


async def test_a_call_is_made_in_a_process_of_its_own_and_its_result_comes_back(tmp_path: Path) -> None:
    async with FakeSessionService(refusal(503)) as service:
        told = await bridged(tmp_path, service.url, "ends")
    assert told.pop("made") == {"a": {"failure": "session.server_error", "cut": False, "ok": False}}
    assert told == {"shards": 1, "died": 0, "problem": None}


async def test_a_shard_that_is_killed_costs_its_own_calls_and_another_takes_its_place(tmp_path: Path) -> None:
    async with FakeSessionService(hanging()) as service:
        told = await bridged(tmp_path, service.url, "dies")
    assert told["made"].pop("c") == CUT
    assert sorted(told["made"]) == ["a", "b"]
    for what in told["made"].values():
        assert what.startswith("harness.shard_died: the process that made this call is gone: it was ended by SIGKILL")
    assert (told["shards"], told["died"]) == (1, 1)


async def test_a_shard_that_is_frozen_is_ended_and_costs_its_own_calls(tmp_path: Path) -> None:
    async with FakeSessionService(hanging()) as service:
        told = await bridged(tmp_path, service.url, "freezes")
    assert "it sent nothing for 4 s" in told["made"]["a"]
    assert (told["shards"], told["died"]) == (0, 1)


async def test_a_shard_that_has_made_its_calls_is_followed_by_another(tmp_path: Path) -> None:
    async with FakeSessionService(refusal(503)) as service:
        told = await bridged(tmp_path, service.url, "retires")
    assert [made["failure"] for made in told["made"].values()] == ["session.server_error"] * 2
    assert told["died"] == 0


async def test_calls_that_are_cut_before_their_shard_is_ready_have_results(tmp_path: Path) -> None:
    async with FakeSessionService(hanging()) as service:
        told = await bridged(tmp_path, service.url, "cut_early")
    assert told == {"made": {"a": CUT, "b": CUT}, "shards": 1, "died": 0, "problem": None}


async def test_where_nobody_knows_how_many_calls_come_a_shard_begins_before_it_is_needed(tmp_path: Path) -> None:
    async with FakeSessionService(hanging()) as service:
        told = await bridged(tmp_path, service.url, "grows")
    assert told == {"made": {"a": CUT, "b": CUT}, "shards": 2, "died": 0, "problem": None}


async def test_a_shard_that_cannot_be_started_fails_its_calls_and_is_told(tmp_path: Path) -> None:
    told = await bridged(tmp_path, "http://127.0.0.1:1/", "not_started")
    why = "it could not be started: No such file or directory"
    assert told["made"] == {"a": f"harness.shard_died: the process that made this call is gone: {why}"}
    assert told["problem"] == f"a process for calls did not start: {why}"


async def test_a_shard_that_waits_for_its_start_is_not_started_after_the_end(tmp_path: Path) -> None:
    told = await bridged(tmp_path, "http://127.0.0.1:1/", "closes")
    assert told["made"]["a"].startswith("harness.shard_died: ")
    assert "could not be started" not in told["made"]["a"]
    assert told["shards"] == 0
