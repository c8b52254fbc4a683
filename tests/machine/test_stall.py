"""What a stall came from: noted while it happened, told by the counters of the real system."""

from __future__ import annotations

import gc
import threading
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from harness.clock import SystemClock
from harness.machine import stall
from harness.machine.own_work import OwnWork
from harness.machine.stall import LoopThread, Stall
from harness.timeline.codec import entry_of
from harness.timeline.events import LoopWasLate


def stall_of(ledger: OwnWork, work: object) -> Stall:
    thread = LoopThread(SystemClock(), ledger)
    before = thread.read()
    assert callable(work)
    work()
    found = thread.stall(before, thread.read())
    thread.close()
    return found


def burn(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_work_of_the_loops_thread_and_of_others_are_told_apart() -> None:
    ledger = OwnWork()
    assert 50 <= stall_of(ledger, lambda: burn(0.05)).cpu_ms < 60

    def elsewhere() -> None:
        other = threading.Thread(target=burn, args=(0.05,))
        other.start()
        other.join()

    found = stall_of(ledger, elsewhere)
    assert found.cpu_ms < 20
    assert found.others_ms >= 49


def test_a_collection_of_garbage_is_noted_while_the_collector_is_watched() -> None:
    ledger = OwnWork()
    kept = [[number] for number in range(400_000)]
    ledger.watch_collector()
    assert stall_of(ledger, gc.collect).gc_ms > 2
    ledger.unwatch_collector()
    assert stall_of(ledger, gc.collect).gc_ms == 0
    assert len(kept) == 400_000


def test_work_counts_for_the_time_that_it_shares_with_the_stall() -> None:
    ledger = OwnWork()
    began_ns = ledger.now_ns()
    burn(0.03)
    ledger.done("disk", began_ns)
    ended_ns = ledger.now_ns()
    assert ledger.between(began_ns, ended_ns)["disk"] >= 29e6
    assert ledger.between(began_ns - 10**9, began_ns + 10**7)["disk"] == pytest.approx(10**7)
    assert ledger.between(ended_ns + 1, ended_ns + 10**9) == {}
    with ledger.doing("measuring"):
        burn(0.01)
        assert ledger.between(ended_ns, ledger.now_ns())["measuring"] > 5e6, "it is still under way"
    ledger.done("sending", ledger.now_ns())
    assert "sending" not in ledger.between(0, ledger.now_ns()), "what took no time is not kept"


def test_the_wait_for_a_cpu_is_what_the_scheduler_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / str(threading.get_native_id())
    folder.mkdir()
    (folder / "schedstat").write_text("1000 5000000 7\n")
    monkeypatch.setattr(stall, "SCHEDSTAT", tmp_path)
    waits = stall_of(OwnWork(), lambda: (folder / "schedstat").write_text("1000 47000000 8\n"))
    assert waits.waited_ms == 42
    monkeypatch.setattr(stall, "SCHEDSTAT", tmp_path / "none")
    assert stall_of(OwnWork(), lambda: None).waited_ms == 0


def test_only_what_there_is_to_tell_goes_on_the_timeline() -> None:
    lag = LoopWasLate(t_ns=1, late_ms=99.0, **asdict(Stall(cpu_ms=0.2, disk_ms=97.0)))
    assert entry_of(lag) == {"t": 1, "event": "loop.lag", "late_ms": 99.0, "cpu_ms": 0.2, "disk_ms": 97.0}
