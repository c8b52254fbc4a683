"""What is read of the machine that the tests run on, and what of it is shown."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from harness.build_pages import WebPage
from harness.clock import SystemClock
from harness.doctor import read_machine
from harness.doctor.facts import Facts
from harness.doctor.read import read_all
from harness.doctor.warn import warn_of_machine


async def test_this_machine_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://somebody:s3cret@proxy.example:3128")
    facts = await read_all(SystemClock())
    assert facts.cores is not None
    assert 1 <= facts.cores <= (os.cpu_count() or 0)
    assert facts.clock_read_ns is not None
    assert facts.clock_read_ns > 0
    assert facts.busy_by_others is not None
    assert 0 <= facts.busy_by_others <= 1.01
    assert facts.memory_bytes
    assert facts.proxy == "the proxy proxy.example:3128 (HTTPS_PROXY)"
    assert "s3cret" not in repr(facts)
    assert {"livekit", "aiortc", "pydantic"} <= {package.name for package in facts.packages if package.fits}
    assert "piper-tts" in {package.name for package in facts.stack_packages}
    assert not {package.name for package in facts.packages} & {package.name for package in facts.stack_packages}
    assert facts.models
    assert all(there for _, there in facts.models)


def test_variables_that_no_proxy_can_be_read_from_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "socks5://proxy.example")
    proxy, problem = read_machine._proxy()
    assert proxy is None
    assert problem.startswith("https_proxy: proxies with the scheme socks5://")


def test_a_run_warns_once_and_reads_only_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said: list[str] = []
    monkeypatch.setattr(WebPage, "is_stale", False)
    monkeypatch.setattr("harness.doctor.warn.read_quickly", lambda out: Facts(cores=1, disk_bytes=5_000_000_000))
    warn_of_machine(said.append, tmp_path)
    assert said == ["warning: this machine may be late in calls (cores: 1 core); voice-harness doctor says what to do"]
    monkeypatch.setattr("harness.doctor.warn.read_quickly", lambda out: Facts(cores=2))
    warn_of_machine(said.append, None)
    assert len(said) == 1


def test_a_run_warns_of_a_report_that_may_lack_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("harness.doctor.warn.read_quickly", lambda out: Facts())
    monkeypatch.setattr(WebPage, "is_stale", property(lambda page: page.name == "report"))
    warn_of_machine(said.append, None)
    assert [line.partition(". ")[0] for line in said] == [
        "warning: report.html may lack sections: its page is older than its sources"
    ]


def test_free_space_is_that_of_a_folder_which_is_yet_to_be_made(tmp_path: Path) -> None:
    assert read_machine.free_bytes(tmp_path / "a" / "b") == read_machine.free_bytes(tmp_path)


def test_the_command_prints_a_table_or_a_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from harness.cli.doctor import doctor

    async def made(clock: object) -> Facts:
        return Facts(cores=1, networks=(), page_built=False)

    monkeypatch.setattr("harness.doctor.read.read_all", made)
    assert doctor(embedded=False, as_json=False) == 3
    shown = capsys.readouterr().out
    assert "risk    cores" in shown
    assert "missing: network; risks: cores  exit 3" in shown
    assert doctor(embedded=False, as_json=True) == 3
    document = json.loads(capsys.readouterr().out)
    assert (document["version"], document["exit_code"]) == (1, 3)
    assert {"check", "status", "value", "effect", "mend", "needed"} == set(document["findings"][0])
