"""What the contract asks of both services: a rule for each, `session.…` (section 2) and `backend.…` (section 3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.contract.evidence import SERVICES, Service
from harness.contract.registry import Judge, Level, by_request, register
from harness.contract.rules.judgements import (
    creates_nothing,
    foreign_origin,
    livekit_url,
    no_redirect,
    rooms,
    slash,
    unique,
)

SECTIONS: dict[Service, int] = {"session": 2, "backend": 3}


def _both(
    name: str,
    sentence: str,
    judge: Callable[[Service], Judge],
    *,
    needs: Sequence[str] = (),
    level: Level = "rule",
) -> None:
    """Registers a rule for each service; `needs` names the requests to that service."""
    for service in SERVICES:
        probes = [f"{service}.{probe}" for probe in needs]
        register(f"{service}.{name}", SECTIONS[service], sentence, judge(service), needs=probes, level=level)


_both(
    "method",
    "A GET creates no session.",
    lambda service: by_request(f"{service}.method", creates_nothing),
    needs=["method"],
)
_both("redirect", "The URL as written is not redirected.", no_redirect)
_both(
    "slash",
    "The URL with the other ending (trailing slash) is answered 301 on the same host, or 404.",
    slash,
    needs=["slash"],
    level="advice",
)
_both(
    "cors",
    "Pages of other sites may not read the answers: the key belongs on a server, and each session has a price.",
    foreign_origin,
    needs=["cors", "cors.post"],
    level="advice",
)
_both("livekit_url", "`livekit_url` is wss://, or ws:// on loopback.", livekit_url, needs=["plain"])
_both(
    "room.unique",
    "Two sessions never have the same room.",
    lambda service: unique(service, "room", rooms, everywhere=True),
    needs=["plain", "again"],
)
