"""What the master of a load decides: how many calls, when it is over, and what becomes of a worker's calls."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

from harness.load.order import AbortOrder, LoadPlan
from harness.record.result import CallResult, TurnResult
from tests.load.made import Load


def test_nothing_starts_before_all_workers_are_ready(tmp_path: Path) -> None:
    load = Load(tmp_path, LoadPlan(stages=((10.0, 10),)), workers=2)
    load.board.joined("client 1", "here", 1)
    load.board.ready("client 1")
    assert (load.after(1), load.told) == ((0, 1.0), [])
    load.board.joined("client 2", "here", 2)
    assert load.after(1) == (0, 1.0)
    load.board.ready("client 2")
    assert load.after(1) == (0, 100.0)
    assert load.told == [{}]
    assert load.after(5) == (5, 100.0)


def test_a_worker_that_was_refused_is_not_waited_for(tmp_path: Path) -> None:
    load = Load(tmp_path, LoadPlan(stages=((10.0, 10),)), workers=2)
    load.board.joined("client 1", "here", 1)
    load.board.ready("client 1")
    load.board.refused.append("another version")
    load.after(1)
    assert load.told == [{}]


def test_calls_that_run_may_end_for_the_stop_timeout_and_are_cut_after_it(tmp_path: Path) -> None:
    load = Load(tmp_path, LoadPlan(stages=((0.0, 2), (10.0, 2)), stop_timeout_s=30))
    load.all_ready()
    assert load.after(0) == (2, 100.0)
    load.board.call_started("client 1", "0001-x", 0)
    assert load.after(10) == (0, 100.0)
    assert load.after(29) == (0, 100.0)
    assert load.cuts == 0
    assert load.after(1) == (0, 100.0)
    assert load.cuts == 1
    assert load.after(1) == (0, 100.0)
    assert load.cuts == 1  # once
    load.ended("client 1", "0001-x")
    assert load.after(1) is None


def test_an_interrupted_load_tells_the_workers_to_start_no_more_calls(tmp_path: Path) -> None:
    load = Load(tmp_path, LoadPlan(rate_per_min=60.0, duration_s=60.0))
    load.all_ready()
    load.after(0)
    load.board.interrupt(at_once=False)
    assert load.stops == 1
    assert load.after(1, client_1=1) == (0, 100.0)
    assert load.after(1, client_1=1) == (0, 100.0)
    assert load.after(1) is None
    assert load.cuts == 0


def test_a_load_whose_calls_have_ended_waits_until_the_worker_has_said_so(tmp_path: Path) -> None:
    load = Load(tmp_path, LoadPlan(stages=((0.0, 1), (10.0, 1))))
    load.all_ready()
    load.after(0)
    assert load.after(10) == (0, 100.0)
    assert load.after(1, client_1=1) == (0, 100.0)  # asked for, not yet started
    assert load.after(1, client_1=1) == (0, 100.0)
    assert load.after(1) is None


def test_the_calls_of_a_worker_that_vanished_have_failed_and_have_one_line_each(tmp_path: Path) -> None:
    load = Load(tmp_path, LoadPlan(stages=((0.0, 4), (60.0, 4))), workers=2)
    load.all_ready()
    load.after(0)
    for number, client in enumerate(load.clients, start=1):
        for call in (1, 2):
            load.board.call_started(client, f"w{number}-000{call}-x", 0)
    load.ended("client 2", "w2-0001-x")
    assert load.board.alive == 3
    load.board.vanished("client 2")
    load.board.vanished("client 2")
    load.ended("client 2", "w2-0002-x", zlib.compress(b"late"))  # it was on its way
    assert [(line["call"], line["failure"]) for line in load.lines()] == [("w2-0002-x", "harness.shard_died")]
    assert load.board.alive == 2
    assert load.board.failures == {"harness.bug": 1, "harness.shard_died": 1}
    assert load.after(10) == (4, 101.0)  # the other goes on
    assert [worker["vanished"] for worker in load.board.ending()["workers"]] == [False, True]


SLOW = AbortOrder(metric="turn.ttfa", limit="max<2s", after_s=5.0)


def slow_call(load: Load, call: str, **values: Any) -> None:
    """A call ends in which the agent was slow."""
    turns = [TurnResult(turn=1, kind="type", text="x", ttfa_ms=3000.0)]
    made = CallResult(call=call, scenario="x", started="2030-01-01T00:00:00Z", ok=True, turns=turns, **values)
    load.board.call_ended("client 1", made.model_dump_json(), None)


def test_a_threshold_aborts_a_load_after_its_delay_and_running_calls_may_end(tmp_path: Path) -> None:
    load = Load(tmp_path, LoadPlan(stages=((0.0, 2), (60.0, 2)), stop_timeout_s=30), aborts=[SLOW])
    load.all_ready()
    load.after(0)
    for call in ("0001-x", "0002-x"):
        load.board.call_started("client 1", call, 0)
    slow_call(load, "0001-x")
    assert load.after(4) == (2, 100.0)
    assert (load.stops, load.board.aborted) == (0, None)
    assert load.after(1) == (0, 100.0)
    assert (load.stops, load.cuts, load.board.phase) == (1, 0, "draining")
    slow_call(load, "0002-x")
    assert load.after(2) is None
    told = load.board.ending()["aborted"]
    assert told == {"metric": "turn.ttfa", "limit": "max<2s", "value": 3000.0, "samples": 1, "after_s": 5.0}
    assert load.stops == 1


def test_a_load_is_not_aborted_by_its_warm_up_nor_once_all_its_calls_have_started(tmp_path: Path) -> None:
    load = Load(tmp_path, LoadPlan(slots=1, repeat=2), aborts=[SLOW])
    load.all_ready()
    load.after(0)
    load.board.call_started("client 1", "0001-x", 0)
    slow_call(load, "0001-x", warm_up=True)
    assert load.after(10) == (1, 100.0)
    load.board.call_started("client 1", "0002-x", 0)
    slow_call(load, "0002-x")
    load.board.call_started("client 1", "0003-x", 0)
    assert load.after(10) == (1, 100.0)
    assert (load.stops, load.board.ending()["aborted"]) == (0, None)


def test_a_load_without_workers_ends(tmp_path: Path) -> None:
    load = Load(tmp_path, LoadPlan(stages=((0.0, 4), (60.0, 4))))
    load.all_ready()
    load.after(0)
    load.board.call_started("client 1", "0001-x", 0)
    load.board.vanished("client 1")
    assert load.after(1) is None
    assert len(load.lines()) == 1


def test_a_call_made_elsewhere_is_written_where_the_run_is(tmp_path: Path) -> None:
    load = Load(tmp_path, LoadPlan(stages=((60.0, 1),)))
    load.all_ready()
    load.board.call_started("client 1", "0001-x", 0)
    load.ended("client 1", "0001-x", zlib.compress(b'{"event": "end"}\n'))
    assert [line["call"] for line in load.lines()] == ["0001-x"]
    assert (tmp_path / "timelines" / "0001-x.jsonl").read_text() == '{"event": "end"}\n'


def test_bursts_come_one_by_one_and_are_shared_by_the_workers(tmp_path: Path) -> None:
    load = Load(tmp_path, LoadPlan(bursts=(5, 2)), workers=2)
    load.all_ready()
    load.after(0)
    assert load.told[1:] == [{1: {"burst": 5, "share": 3}, 2: {"burst": 5, "share": 2}}]
    load.board.call_started("client 1", "w1-b5-0001-x", 0)
    load.after(60)
    assert len(load.told) == 2  # the first is not over
    load.ended("client 1", "w1-b5-0001-x")
    assert load.after(2) == (2, 100.0)
    assert load.told[2:] == [{1: {"burst": 2, "share": 1}, 2: {"burst": 2, "share": 1}}]
    load.after(2)
    assert load.after(2) is None


def test_locust_is_made_to_share_its_users_again_when_a_worker_leaves(tmp_path: Path) -> None:
    """It does so only where a tick differs from the one before: else a slot of that worker's would stay empty."""
    load = Load(tmp_path, LoadPlan(stages=((0.0, 4), (30.0, 4))), workers=3)
    load.board.refuse("another version")
    load.board.refuse("another version")
    for client in load.clients[:2]:
        load.board.joined(client, "here", 1)
        load.board.ready(client)
    began = load.after(1)
    assert began is not None
    assert began[0] == 4
    assert load.after(1) == began
    load.board.vanished("client 1")
    after = load.after(1)
    assert after is not None
    assert after[0] == 4
    assert after != began
    assert load.board.refused == ["another version"]


def test_what_a_vanished_worker_had_still_to_start_is_dropped(tmp_path: Path) -> None:
    load = Load(tmp_path, LoadPlan(rate_per_min=60, duration_s=10), workers=2)
    load.all_ready()
    load.after(0)
    for call in range(5):
        load.board.call_started("client 1", f"w1-000{call}-x", 0)
        load.ended("client 1", f"w1-000{call}-x")
    load.board.vanished("client 2")
    assert load.after(10) == (0, 101.0)
    assert load.after(2) is None
    assert load.board.status()["dropped"] == 5
