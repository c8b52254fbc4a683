"""What the checks make of machines made by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from harness.doctor.facts import Facts, Package, Server
from harness.doctor.finding import Diagnosis, Finding
from harness.doctor.registry import CHECKS, diagnose, warning
from harness.doctor.system import files_needed

GOOD = Facts(
    cores=8,
    governors=("performance",),
    cpu_driver="acpi-cpufreq",
    busy_by_others=0.1,
    steal=0.0,
    load_1min=0.5,
    quota_cores=math.inf,
    throttled_ms=0.0,
    memory_bytes=8_000_000_000,
    disk_bytes=50_000_000_000,
    cache_bytes=50_000_000_000,
    open_files=1_000_000,
    clock_source="tsc",
    clock_sources=("tsc", "hpet"),
    clock_read_ns=60,
    receive_buffer_bytes=4_194_304,
    udp_dropped=0,
    networks=("eth0",),
    python="CPython 3.12.1",
    packages=(Package(name="livekit", wanted=">=1.2.1", found="1.2.1", fits=True),),
    stack_packages=(Package(name="piper-tts", wanted=">=1.8", found="1.8.0", fits=True),),
    models=(("Silero", True),),
    server=Server(told="1.11.0 in the cache", runs=True),
    page_built=True,
)


def of(facts: Facts, *, embedded: bool = False) -> Diagnosis:
    return diagnose(facts, harness_version="0.1.0", embedded=embedded)


def found(facts: Facts, check: str) -> Finding:
    return next(finding for finding in of(facts).findings if finding.check == check)


def test_a_good_machine_has_nothing_to_mend() -> None:
    diagnosis = of(GOOD, embedded=True)
    assert {finding.check: finding.status for finding in diagnosis.findings} == {check.name: "ok" for check in CHECKS}
    assert not any(finding.mend for finding in diagnosis.findings)
    assert diagnosis.exit_code == 0
    assert warning(GOOD) is None


@pytest.mark.parametrize(
    ("check", "machine", "value", "mend"),
    [
        ("cores", {"cores": 1}, "1 core", "2 cores"),
        ("governor", {"governors": ("powersave",)}, "powersave (acpi-cpufreq)", "echo performance"),
        ("governor", {"governors": ("ondemand", "performance")}, "ondemand, performance", "echo performance"),
        ("steal", {"steal": 0.05}, "5.0 %", "dedicated"),
        ("quota", {"quota_cores": 1.5}, "1.5 cores", "--cpus 2"),
        ("quota", {"quota_cores": 4.0, "throttled_ms": 20.0}, "throttled for 20 ms", "raise"),
        ("load", {"load_1min": 8.0}, "load average 8.0 on 8 cores", "stop"),
        ("load", {"busy_by_others": 0.7}, "70 %", "stop"),
        ("clock", {"clock_source": "hpet"}, "hpet", "echo tsc | sudo tee /sys/"),
        ("clock", {"clock_source": "xen", "clock_sources": ("xen",)}, "xen", "another machine"),
        ("clock", {"clock_read_ns": 1500.0}, "1500 ns", "another machine"),
        ("memory", {"memory_bytes": 900_000_000}, "0.9 GB", "2 GB"),
        ("disk", {"disk_bytes": 900_000_000}, "0.9 GB", "--out DIR"),
        ("open files", {"open_files": 256.0}, "256", f"ulimit -Hn {files_needed()}"),
        (
            "udp buffers",
            {"receive_buffer_bytes": 212_992},
            "102 ms of 100 calls",
            "sysctl -w net.core.rmem_max=2500000",
        ),
        ("proxy", {"proxy": "the proxy p:3128 (HTTPS_PROXY)"}, "p:3128 (HTTPS_PROXY)", "NO_PROXY"),
        ("proxy", {"proxy_problem": "HTTPS_PROXY: this is not the URL of a proxy"}, "HTTPS_PROXY", "unset"),
        ("livekit server", {"server": Server(told="not built yet", runs=None)}, "not built yet", "stack up"),
    ],
)
def test_each_risk_has_its_value_and_its_mend_and_does_not_fail(
    check: str, machine: dict[str, object], value: str, mend: str
) -> None:
    facts = replace(GOOD, **machine)  # type: ignore[arg-type]  # each of its own type
    finding = found(facts, check)
    assert finding.status == "risk"
    assert value in finding.value
    assert mend in finding.mend
    assert finding.effect
    assert of(facts, embedded=True).exit_code == 0
    assert [each.check for each in of(facts).findings if each.status != "ok"] == [check]


@pytest.mark.parametrize(
    ("check", "machine"),
    [
        ("network", {"networks": ()}),
        ("packages", {"packages": (Package(name="aioice", wanted="==0.13.0"),)}),
    ],
)
def test_what_every_call_needs_fails_with_3(check: str, machine: dict[str, object]) -> None:
    facts = replace(GOOD, **machine)  # type: ignore[arg-type]  # each of its own type
    assert found(facts, check).status == "missing"
    assert found(facts, check).mend
    assert of(facts).exit_code == 3


@pytest.mark.parametrize(
    ("check", "machine"),
    [
        ("stack packages", {"stack_packages": (Package(name="piper-tts", wanted=">=1.8"),)}),
        ("models", {"models": (("Silero", True), ("WordLlama", False))}),
        ("livekit server", {"server": Server(told="the one named does not run", runs=False, named="VOICE_HARNESS_X")}),
    ],
)
def test_what_only_the_embedded_stack_needs_fails_where_that_is_asked_for(
    check: str, machine: dict[str, object]
) -> None:
    facts = replace(GOOD, **machine)  # type: ignore[arg-type]  # each of its own type
    assert found(facts, check).status == "missing"
    assert (of(facts).exit_code, of(facts, embedded=True).exit_code) == (0, 3)


def test_a_call_page_that_is_not_built_never_fails() -> None:
    facts = replace(GOOD, page_built=False)
    assert found(facts, "web pages").status == "missing"
    assert of(facts, embedded=True).exit_code == 0


def test_a_page_that_is_older_than_its_sources_is_a_risk() -> None:
    assert found(replace(GOOD, page_stale=True), "web pages").status == "risk"


def test_a_package_of_another_version_is_a_risk_and_named() -> None:
    facts = replace(GOOD, packages=(Package(name="aioice", wanted="==0.13.0", found="0.14.0"),))
    finding = found(facts, "packages")
    assert (finding.status, finding.value) == ("risk", "aioice 0.14.0 instead of ==0.13.0")


@pytest.mark.parametrize("driver", ["intel_pstate", "amd-pstate-epp"])
def test_powersave_is_no_risk_where_the_name_means_by_load(driver: str) -> None:
    assert found(replace(GOOD, governors=("powersave",), cpu_driver=driver), "governor").status == "ok"
    assert found(replace(GOOD, governors=("ondemand",), cpu_driver=driver), "governor").status == "risk"


def test_space_for_the_build_counts_only_where_there_is_something_to_build() -> None:
    little = replace(GOOD, cache_bytes=2_000_000_000)
    assert found(little, "disk").status == "ok"
    to_build = replace(little, server=Server(told="not built yet", runs=None))
    assert "VOICE_HARNESS_CACHE" in found(to_build, "disk").mend


def test_nothing_that_was_not_read_is_called_ok() -> None:
    unread = of(Facts())
    assert {finding.status for finding in unread.findings if finding.check != "proxy"} == {"unknown"}
    assert unread.exit_code == 0
    assert warning(Facts()) is None


def test_on_macos_it_is_said_what_does_not_exist_there() -> None:
    mac = replace(
        GOOD,
        system="darwin",
        governors=None,
        steal=None,
        quota_cores=None,
        clock_source=None,
        receive_buffer_bytes=None,
    )
    said = {check: found(mac, check) for check in ("governor", "steal", "quota", "clock", "udp buffers")}
    assert all("macOS" in finding.value for finding in said.values())
    assert [check for check, finding in said.items() if finding.status == "unknown"] == ["governor"]
    assert found(replace(mac, clock_read_ns=2000.0), "clock").status == "risk"


def test_a_run_warns_in_one_line_of_what_makes_it_late_and_of_nothing_else() -> None:
    told = warning(replace(GOOD, cores=1, load_1min=6.0, receive_buffer_bytes=1, open_files=1.0))
    assert told is not None
    assert "\n" not in told
    assert "cores: 1 core; load: load average 6.0 on 1 core" in told
    assert "udp" not in told
    assert "files" not in told  # the command itself refuses calls for which there are not enough
    assert warning(replace(GOOD, load_1min=16.0)) is None, "a risk, and yet calls on two such cores were on time"


def test_the_document_is_read_back() -> None:
    diagnosis = of(replace(GOOD, networks=()))
    assert Diagnosis.model_validate_json(diagnosis.model_dump_json()) == diagnosis
    assert diagnosis.version == 1
