"""A machine without a network that LiveKit's SDK uses: named at once, on the caller's side and on the agents'."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from unittest.mock import Mock

import psutil
import pytest

from harness.call.engines.line import LineEvents
from harness.call.engines.sdk import SdkEngine
from harness.clock import SystemClock
from harness.errors import RoomFailure, StackError
from harness.machine.networks import has_network
from harness.secret import Secret
from harness.stack.agents.process import Agents, Start
from harness.stack.tokens import LiveKitKeys

LOOPBACK = {"lo": ("up,loopback,running", True, [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])}


def interfaces(patch: pytest.MonkeyPatch, **others: tuple[str, bool, list[tuple[int, str]]]) -> None:
    """Gives this machine a loopback interface and these: by name their flags, whether they are up, their addresses."""
    found = LOOPBACK | others
    stats = {name: SimpleNamespace(flags=flags, isup=up) for name, (flags, up, _) in found.items()}
    addresses = {
        name: [SimpleNamespace(family=family, address=address) for family, address in held]
        for name, (_, _, held) in found.items()
    }
    patch.setattr(psutil, "net_if_stats", lambda: stats)
    patch.setattr(psutil, "net_if_addrs", lambda: addresses)


@pytest.mark.parametrize(
    ("flags", "up", "address", "found"),
    [
        ("up,running", True, (socket.AF_INET, "192.0.2.2"), "any ipv4"),
        ("up,running", True, (socket.AF_INET6, "2001:db8::2"), "any"),
        ("up,running", True, (socket.AF_INET6, "fe80::fc:ff%eth0"), ""),
        ("up,running", True, (psutil.AF_LINK, "02:fc:00:00:00:01"), ""),
        ("broadcast", False, (socket.AF_INET, "192.0.2.2"), ""),
        ("up,loopback,running", True, (socket.AF_INET, "192.0.2.2"), ""),
    ],
)
def test_what_counts_as_a_network(
    monkeypatch: pytest.MonkeyPatch, flags: str, up: bool, address: tuple[int, str], found: str
) -> None:
    interfaces(monkeypatch, eth0=(flags, up, [address]))
    assert has_network(ipv6=True) is ("any" in found)
    assert has_network(ipv6=False) is ("ipv4" in found)


async def test_a_caller_on_the_sdk_says_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    interfaces(monkeypatch)
    with pytest.raises(RoomFailure, match="besides loopback") as failed:
        await SdkEngine(SystemClock()).join("ws://127.0.0.1:1", Secret("token"), Mock(spec=LineEvents), timeout_s=60)
    assert failed.value.kind == "room.unreachable"
    assert "--engine light" in (failed.value.hint or "")


@pytest.mark.parametrize(("agent", "can_join"), [("demo", False), ("truth", True)])
async def test_the_agents_do_not_start_where_they_could_not_join(
    monkeypatch: pytest.MonkeyPatch, agent: str, can_join: bool
) -> None:
    interfaces(monkeypatch)
    keys = LiveKitKeys("ws://127.0.0.1:1", "key", Secret("secret"))
    agents = Agents(Start(keys, agents_file=None, truth_log=None, warm=[agent]), on_fall=lambda: None)
    try:
        if can_join:
            await agents.warm()
        else:
            with pytest.raises(StackError, match="cannot join a room"):
                await agents.warm()
    finally:
        await agents.close()
