"""What was read of the machine, as one value that tests make by hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An installed package: what voice-harness requires of it, and what was found.

    Attributes:
        name: Its name on the package index.
        wanted: The versions that are required, such as `==1.0.0`; empty for any.
        found: The installed version; None if it is not installed.
        fits: Whether the installed version is one of those required.
    """

    name: str
    wanted: str = ""
    found: str | None = None
    fits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The LiveKit server that the embedded stack would start.

    Attributes:
        told: Which one it is, for people.
        runs: Whether it runs; None if it would be built first.
        named: The variable that names it, if one does. Then no other is used.
    """

    told: str
    runs: bool | None
    named: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A machine as it was read. None means that the system does not report it, or that it was not asked.

    Attributes:
        system: `linux` or `darwin`, as in `sys.platform`.
        cores: CPUs that this process may use (its affinity).
        governors: The frequency governors in use.
        cpu_driver: The frequency driver, which decides what a governor's name means.
        busy_by_others: Share of all CPUs that other processes used over a second; 1.0 is all of them.
        steal: Share of all CPUs that the hypervisor gave to others over that second.
        load_1min: The load average of the last minute.
        quota_cores: The container's or unit's CPU quota, in cores; infinite without a quota.
        throttled_ms: How long the quota held processes back over a second.
        memory_bytes: Memory that can be used without swapping, within the container's limit.
        disk_bytes: Free space where runs are written.
        cache_bytes: Free space where the embedded stack is built.
        open_files: The hard limit of open files; infinite without one.
        clock_source: The kernel's clock source.
        clock_sources: Those that it could use.
        clock_read_ns: How long reading the monotonic clock takes.
        receive_buffer_bytes: The largest receive buffer that a socket may ask for (`net.core.rmem_max`).
        udp_dropped: UDP packets that the kernel dropped since boot because a receive buffer was full.
        networks: Interfaces that LiveKit's SDK uses: up, not loopback, with an address.
        proxy: The proxy for a service on the internet; None for a direct connection.
        proxy_problem: Why the proxy variables cannot be used.
        python: Python's version.
        packages: The packages that voice-harness requires.
        stack_packages: Those of its extra `stack`.
        models: The embedded stack's models, and whether their files are there.
        server: The LiveKit server of the embedded stack.
        page_built: Whether the web pages have been built.
        page_stale: Whether one is older than its sources.
    """

    system: str = "linux"
    cores: int | None = None
    governors: tuple[str, ...] | None = None
    cpu_driver: str = ""
    busy_by_others: float | None = None
    steal: float | None = None
    load_1min: float | None = None
    quota_cores: float | None = None
    throttled_ms: float | None = None
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    cache_bytes: int | None = None
    open_files: float | None = None
    clock_source: str | None = None
    clock_sources: tuple[str, ...] = ()
    clock_read_ns: float | None = None
    receive_buffer_bytes: int | None = None
    udp_dropped: int | None = None
    networks: tuple[str, ...] | None = None
    proxy: str | None = None
    proxy_problem: str = ""
    python: str = ""
    packages: tuple[Package, ...] = ()
    stack_packages: tuple[Package, ...] = ()
    models: tuple[tuple[str, bool], ...] = ()
    server: Server | None = None
    page_built: bool | None = None
    page_stale: bool = False
