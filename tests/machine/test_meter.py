"""What the machine was busy with: read from the running system, against work that is really done."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.clock import SystemClock
from harness.machine import meter as machine
from harness.machine.meter import Machine
from harness.testing import FakeClock


def burn(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_work_of_our_own_is_seen_as_ours_and_on_the_loops_thread() -> None:
    reader = Machine(SystemClock())
    began = time.monotonic()
    burn(0.3)
    second = reader.read()
    share = 0.3 / (time.monotonic() - began)
    assert second.loop_cpu == pytest.approx(share, abs=0.1)
    assert second.own_cpu >= second.loop_cpu - 0.05
    assert second.busy is None or 0 <= second.busy <= 1
    assert abs(second.clock_step_ms) < 50


def test_shares_are_of_the_time_between_two_readings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    monkeypatch.setattr(machine, "PROC_STAT", stat)
    stat.write_text("cpu  1000 0 500 8000 100 0 0 50 70 0\ncpu0 1 2 3\n")
    reader = Machine(FakeClock())
    stat.write_text("cpu  1050 0 510 8100 120 0 0 70 99 0\ncpu0 1 2 3\n")
    second = reader.read()
    # 200 ticks: 50 user, 10 system, 100 idle, 20 waiting for the disk, 20 stolen.
    assert (second.busy, second.steal) == (0.4, 0.1)


def test_drops_of_the_kernel_and_the_quotas_brake_are_differences(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    snmp, quota = tmp_path / "snmp", tmp_path / "cpu.stat"
    monkeypatch.setattr(machine, "PROC_SNMP", snmp)
    monkeypatch.setattr(machine, "CGROUP_CPU", quota)
    head = "Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors\n"
    snmp.write_text(f"{head}Udp: 100 0 7 100 7 0\n")
    quota.write_text("usage_usec 5000\nthrottled_usec 1000\n")
    reader = Machine(FakeClock())
    snmp.write_text(f"{head}Udp: 200 0 12 100 12 0\n")
    quota.write_text("usage_usec 9000\nthrottled_usec 46000\n")
    second = reader.read()
    assert (second.udp_dropped, second.throttled_ms) == (5, 45)


def test_a_system_without_these_files_tells_what_it_can(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PROC_STAT", "PROC_SNMP", "CGROUP_CPU"):
        monkeypatch.setattr(machine, name, tmp_path / "none")
    second = Machine(FakeClock()).read()
    assert (second.busy, second.steal, second.throttled_ms, second.udp_dropped) == (None, None, None, None)


class SteppingClock(FakeClock):
    """A clock whose time of day is set by hand."""

    step_s = 0.0

    def utc(self) -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=self.now_ns() / 1e9 + self.step_s)


def test_a_step_of_the_time_of_day_is_told_once() -> None:
    clock = SteppingClock()
    reader = Machine(clock)
    clock.advance(1)
    clock.step_s = -0.25
    assert reader.read().clock_step_ms == -250
    clock.advance(1)
    assert reader.read().clock_step_ms == 0
