"""Live metrics from a real exporting process, which follows a recorded run that grows again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.telemetry.exporting import exporting
from harness.telemetry.options import Telemetry
from tests.telemetry.exported import PATIENCE_S, Heard, fetch, scrape, total
from tests.telemetry.growing import GrowingRun

ANY_PORT = Telemetry(prometheus_port=0)


async def test_a_scrape_sees_calls_alive_and_each_call_that_ended(tmp_path: Path) -> None:
    run, heard = GrowingRun("load", tmp_path), Heard()
    first, second, *_ = run.calls
    async with exporting(ANY_PORT, heard) as export:
        before = await scrape(heard.url)
        assert total(before, "voice_calls_alive") == 0
        await export.follow(run.path)
        run.begin(first)
        run.begin(second)
        alive = await scrape(heard.url)
        assert total(alive, "voice_calls_alive") == 2
        assert total(alive, "voice_calls_total") == 0
        assert any(name == "voice_calls_total" for name, _ in alive), "its series begin at 0"
        run.end(first)
        ended = await scrape(heard.url)
        assert total(ended, "voice_calls_alive") == 1
        run.make_all()
        everything = await scrape(heard.url)
        counts = run.summary["calls"]
        assert total(everything, "voice_calls_alive") == 0
        assert total(everything, "voice_calls_total", outcome="ok") == counts["ok"]
        assert total(everything, "voice_calls_total", outcome="failed") == counts["failed"]
        assert total(everything, "voice_turn_ttfa_seconds_count") == run.summary["metrics"]["turn.ttfa"]["count"]
        run.rewrite()
        assert await scrape(heard.url) == everything, "a call is counted once, though the file is a new one"


async def test_half_a_line_and_one_that_is_damaged_count_nothing(tmp_path: Path) -> None:
    run, heard = GrowingRun("talk-light", tmp_path), Heard()
    first, *_ = run.calls
    async with exporting(ANY_PORT, heard) as export:
        await export.follow(run.path)
        run.write('{"call": "damaged"}\n')
        await heard.until("cannot be read")
        run.end(first)
        run.write('{"version":1,"call":"half')
        samples = await scrape(heard.url)
    assert total(samples, "voice_calls_total") == 1
    assert sum("cannot be read" in line for line in heard.lines) == 1


async def test_a_port_that_is_taken_is_a_usage_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"the port {port} of 127.0.0.1 cannot be used"):
            async with exporting(Telemetry(prometheus_port=port), Heard()):
                pass


async def test_metrics_are_for_this_machine_and_at_one_path() -> None:
    heard = Heard()
    async with exporting(ANY_PORT, heard):
        text = await asyncio.to_thread(fetch, heard.url)
        with pytest.raises(OSError, match="404"):
            await asyncio.to_thread(fetch, heard.url.replace("/metrics", "/"))
        with pytest.raises(ConnectionError), socket.create_connection(("127.0.0.2", int(heard.url.split(":")[2][:-8]))):
            pass
    assert "_created" not in text
    assert "python_" not in text


async def test_a_run_that_was_scraped_waits_for_a_last_scrape(tmp_path: Path) -> None:
    run, heard = GrowingRun("talk-light", tmp_path), Heard()
    async with exporting(ANY_PORT, heard) as export:
        await export.follow(run.path)
        await scrape(heard.url)
        run.make_all()
        ending = asyncio.create_task(export.finish(wait=True))
        await heard.until("waiting for a last scrape")
        last = await scrape(heard.url)
        await asyncio.wait_for(ending, PATIENCE_S)
    assert total(last, "voice_calls_total") == len(run.calls)


async def test_the_wait_for_a_last_scrape_can_be_ended(tmp_path: Path) -> None:
    run, heard = GrowingRun("talk-light", tmp_path), Heard()
    async with exporting(ANY_PORT, heard) as export:
        await export.follow(run.path)
        await scrape(heard.url)
        ending = asyncio.create_task(export.finish(wait=True))
        await heard.until("waiting for a last scrape")
        export.hurry()
        await asyncio.wait_for(ending, PATIENCE_S)


async def test_a_run_that_was_never_scraped_does_not_wait(tmp_path: Path) -> None:
    run, heard = GrowingRun("talk-light", tmp_path), Heard()
    async with exporting(ANY_PORT, heard) as export:
        await export.follow(run.path)
        await asyncio.wait_for(export.finish(wait=True), PATIENCE_S)
    assert not any("waiting" in line for line in heard.lines)


async def test_a_process_that_is_gone_is_told_and_does_not_hurt_the_run(tmp_path: Path) -> None:
    run, heard = GrowingRun("talk-light", tmp_path), Heard()
    async with exporting(ANY_PORT, heard) as export:
        await export.follow(run.path)
        assert export.pid is not None
        os.kill(export.pid, signal.SIGKILL)
        said = await heard.until("ended unexpectedly")
        await export.finish(wait=True)
    assert "the run goes on" in said
    assert "SIGKILL" in said
