"""Checks of what the system allows and provides: clock, memory, disk, files, network."""

from __future__ import annotations

import math

from harness.doctor.facts import Facts
from harness.doctor.finding import Check, Outcome, not_on_mac, not_told
from harness.machine.networks import NO_NETWORK
from harness.machine.open_files import FILES_A_PROCESS
from harness.shards.size import CALLS_IN_A_SHARD, FILES_A_CALL

GB = 1_000_000_000
LEAST_MEMORY_BYTES = GB
LEAST_DISK_BYTES = GB
BUILD_BYTES = 3 * GB  # the hint of stack/build_server.py
SLOW_READ_NS = 1000.0
# Read without a system call (Linux, vDSO), on x86, Arm, Hyper-V and RISC-V.
_FAST_CLOCKS = ("tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page", "riscv_clocksource")
_SLOW_CLOCKS = ("hpet", "acpi_pm", "xen", "pit", "jiffies", "refined-jiffies")
_CLOCK_FILE = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
# LiveKit's server asks for 5,000,000, of which the kernel counts half for its own use (socket(7)).
SERVER_BUFFER_BYTES = 2_500_000
# Measured: a buffer of 2 x 212,992 bytes holds 512 packets of 60 to 160 bytes.
PACKET_BYTES = 416
_PACKETS_A_SECOND = 50  # of a call: 20 ms each


def files_needed() -> int:
    """The number of files that a full process of calls opens, on the engine that needs the most."""
    return FILES_A_PROCESS + max(CALLS_IN_A_SHARD[engine] * files for engine, files in FILES_A_CALL.items())


def clock_source(facts: Facts) -> Outcome:
    """Whether reading the time is cheap."""
    read = "" if facts.clock_read_ns is None else f", {facts.clock_read_ns:.0f} ns per reading"
    slow_read = facts.clock_read_ns is not None and facts.clock_read_ns >= SLOW_READ_NS
    if facts.system == "darwin":
        return Outcome("risk" if slow_read else "ok", f"macOS has one clock source{read}")
    if facts.clock_source is None:
        return not_told(facts)
    value = f"{facts.clock_source}{read}"
    if facts.clock_source in _SLOW_CLOCKS or slow_read:
        others = set(facts.clock_sources) - {facts.clock_source}
        better = next((name for name in _FAST_CLOCKS if name in others), None)
        mend = f"echo {better} | sudo tee {_CLOCK_FILE}" if better else "use another machine; this one offers no other"
        return Outcome("risk", value, mend, warns=facts.clock_source in _SLOW_CLOCKS)
    return Outcome("ok" if facts.clock_source in _FAST_CLOCKS else "unknown", value)


def memory(facts: Facts) -> Outcome:
    """Whether there is memory for the calls and the embedded stack."""
    if facts.memory_bytes is None:
        return not_told(facts)
    value = f"{facts.memory_bytes / GB:.1f} GB available"
    if facts.memory_bytes < LEAST_MEMORY_BYTES:
        return Outcome("risk", value, "end what uses it, or raise the container's limit to 2 GB", warns=True)
    return Outcome("ok", value)


def disk(facts: Facts) -> Outcome:
    """Whether there is space for the run, and for building the embedded stack's server."""
    if facts.disk_bytes is None:
        return not_told(facts)
    value = f"{facts.disk_bytes / GB:.1f} GB free for runs"
    to_build = facts.server is not None and facts.server.runs is None
    if to_build and facts.cache_bytes is not None:
        value += f", {facts.cache_bytes / GB:.1f} GB for building the LiveKit server"
    if facts.disk_bytes < LEAST_DISK_BYTES:
        return Outcome("risk", value, "free space, or write to another disk: --out DIR", warns=True)
    if to_build and facts.cache_bytes is not None and facts.cache_bytes < BUILD_BYTES:
        return Outcome("risk", value, "free space, or set VOICE_HARNESS_CACHE to a folder with 3 GB")
    return Outcome("ok", value)


def open_files(facts: Facts) -> Outcome:
    """Whether a process may open the files of as many calls as it is given."""
    if facts.open_files is None:
        return not_told(facts)
    if math.isinf(facts.open_files):
        return Outcome("ok", "no limit")
    needed = files_needed()
    value = f"{facts.open_files:,.0f} in a process; a process full of calls needs {needed:,}"
    if facts.open_files < needed:
        return Outcome("risk", value, f"ulimit -Hn {needed} (as root; LimitNOFILE= in a systemd unit)")
    return Outcome("ok", value)


def udp_buffers(facts: Facts) -> Outcome:
    """Whether the kernel keeps what a LiveKit server on this machine has not read yet."""
    if facts.system == "darwin":
        return not_on_mac("net.core.rmem_max; kern.ipc.maxsockbuf is 8 MB by default")
    if facts.receive_buffer_bytes is None:
        return not_told(facts)
    lasts_ms = 1000 * facts.receive_buffer_bytes / PACKET_BYTES / (100 * _PACKETS_A_SECOND)
    value = f"net.core.rmem_max is {facts.receive_buffer_bytes:,}: {lasts_ms:.0f} ms of 100 calls at one socket"
    if facts.udp_dropped:
        value += f"; {facts.udp_dropped:,} packets dropped since boot"
    if facts.receive_buffer_bytes < SERVER_BUFFER_BYTES:
        return Outcome("risk", value, f"sudo sysctl -w net.core.rmem_max={SERVER_BUFFER_BYTES}")
    return Outcome("ok", value)


def network(facts: Facts) -> Outcome:
    """Whether LiveKit's SDK finds a network that it uses."""
    if facts.networks is None:
        return not_told(facts)
    if not facts.networks:
        return Outcome("missing", NO_NETWORK, "connect to any network, or use --engine light")
    return Outcome("ok", ", ".join(facts.networks))


def proxy(facts: Facts) -> Outcome:
    """Whether session requests and signalling go through a proxy."""
    if facts.proxy_problem:
        return Outcome("risk", facts.proxy_problem, "write it as http://host:port, or unset the variable")
    if facts.proxy is not None:
        mend = "to connect directly, add the service's host to NO_PROXY"
        return Outcome("risk", f"{facts.proxy} for services on the internet", mend)
    return Outcome("ok", "none for services on the internet")


SYSTEM_CHECKS = (
    Check(
        name="clock",
        effect="each packet takes several readings of the time; slow ones are CPU that calls lack",
        limit="risk for sources that are read by a system call or from a chip (`hpet`, `acpi_pm`, `xen`, `jiffies` …; "
        "vdso(7)), and from 1,000 ns per reading; `tsc` took 110 ns where this was measured",
        judge=clock_source,
    ),
    Check(
        name="memory",
        effect="memory that is short is read from disk again, and the event loop stops for it",
        limit="risk below 1 GB: a call and the embedded stack took up to 671 MB (PSS of all processes, scenario smoke)",
        judge=memory,
    ),
    Check(
        name="disk",
        effect="a run that cannot be written has exit code 4; the embedded stack's server cannot be built",
        limit="risk below 1 GB: a recording takes 11.5 MB per minute of a call (docs/scale.md); below 3 GB where the "
        "server is still to be built",
        judge=disk,
    ),
    Check(
        name="open files",
        effect="calls cannot be made at once in the number wanted: the command refuses them",
        limit="risk below what a process full of calls opens (`harness/shards/size.py`, counted in /proc)",
        judge=open_files,
    ),
    Check(
        name="udp buffers",
        effect="a LiveKit server on this machine reads the packets of all calls from one socket and loses what does "
        "not fit; the socket of a single call keeps ten seconds of audio even in the default of 212,992 bytes",
        limit="risk below 2,500,000: it gives LiveKit's server the 5,000,000 bytes that it suggests for production",
        judge=udp_buffers,
    ),
    Check(
        name="network",
        effect="LiveKit's SDK does not connect over loopback alone: no calls on engine `sdk`, no embedded agents",
        limit="missing if no interface besides loopback is up with an address (WebRTC's network_constants.h)",
        judge=network,
    ),
    Check(
        name="proxy",
        effect="`session.create` and `room.connect` have the proxy's time in them; audio over UDP does not pass it",
        limit="risk if the variables name one for hosts on the internet (docs/targets.md), or one that cannot be used",
        judge=proxy,
    ),
)
