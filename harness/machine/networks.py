"""Whether this machine has a network that LiveKit's SDK uses.

WebRTC leaves out loopback interfaces (`kDefaultNetworkIgnoreMask` in its `rtc_base/network_constants.h`), even if the
server is on loopback. Without another network it never connects, and only says that it timed out.
"""

from __future__ import annotations

import ipaddress
import socket

import psutil

NO_NETWORK = "no network is up on this machine besides loopback, which LiveKit's SDK does not use"


def has_network(*, ipv6: bool) -> bool:
    """Whether an interface other than loopback is up and has an address.

    Args:
        ipv6: Whether an IPv6 address will do. One of link-local scope never does: WebRTC leaves those out too.
    """
    return bool(usable_networks(ipv6=ipv6))


def usable_networks(*, ipv6: bool) -> list[str]:
    """The names of the interfaces for which `has_network` is true, sorted."""
    up = {name for name, stats in psutil.net_if_stats().items() if stats.isup and "loopback" not in stats.flags}
    addresses = psutil.net_if_addrs()
    return sorted(
        name
        for name in up
        if any(
            address.family == socket.AF_INET
            or (ipv6 and address.family == socket.AF_INET6 and not _link_local(address.address))
            for address in addresses.get(name, [])
        )
    )


def _link_local(address: str) -> bool:
    return ipaddress.IPv6Address(address.partition("%")[0]).is_link_local
