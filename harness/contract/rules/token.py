"""Section 2: the access tokens of all sessions, whichever service gave them; read without verifying them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.contract.evidence import SERVICES, Evidence, Granted
from harness.contract.registry import Judge, Judged, Level, broken, met, not_tried, register

ADVISED_LIFETIME_S = 900
CLOCKS_DIFFER_S = 60.0  # LiveKit's own leeway
# What may be left out of a token is allowed, by LiveKit's rules.
_NEEDED = {"roomJoin": False, "canPublish": True, "canSubscribe": True, "canPublishData": True}
_FORBIDDEN = (
    "roomAdmin",
    "roomCreate",
    "roomList",
    "roomRecord",
    "ingressAdmin",
    "recorder",
    "agent",
    "hidden",
    "destinationRoom",
)
_KNOWN = ("room", *_NEEDED, *_FORBIDDEN)

Problem = Callable[[Granted, Evidence], str]


def _each(problem_of: Problem) -> Judge:
    def judge(evidence: Evidence) -> Judged:
        granted = evidence.granted()
        if not granted:
            requests = [f"{service}.plain" for service in evidence.urls or SERVICES]
            asked = any(probe in evidence.exchanges for probe in requests)
            return not_tried("no session was created" if asked else evidence.why_absent(requests[0]))
        readable = [one for one in granted if one.claims is not None or problem_of is _not_jwt]
        if not readable:
            return not_tried("no token is a JWT")
        for one in readable:
            problem = problem_of(one, evidence)
            if problem:
                exchange = evidence.exchanges[one.probe]
                return broken(problem, sent=exchange.sent, came=_told(one.claims))
        return met(f"{len(readable)} tokens")

    return judge


def _token(name: str, sentence: str, problem_of: Problem, level: Level = "rule") -> None:
    register(f"token.{name}", 2, sentence, _each(problem_of), level=level)


def _told(claims: Mapping[str, Any] | None) -> str:
    return "a token that is not a JWT" if claims is None else f"a token with the claims {dict(claims)}"


def _not_jwt(granted: Granted, _: Evidence) -> str:
    return "" if granted.claims is not None else "the token is not a JWT"


def _not_one_room(granted: Granted, _: Evidence) -> str:
    room = granted.grants.get("room")
    return "" if isinstance(room, str) and room.strip() else "the token is not for one room"


def _other_room(granted: Granted, _: Evidence) -> str:
    room = granted.grants.get("room")
    if granted.room_name is None or room is None or room == granted.room_name:
        return ""
    return f"the token is for the room {room}, and room_name is {granted.room_name}"


def _lacking(granted: Granted, _: Evidence) -> str:
    lacking = [name for name, default in _NEEDED.items() if granted.grants.get(name, default) is not True]
    sources = granted.grants.get("canPublishSources")
    if isinstance(sources, list) and sources and "microphone" not in [str(one).lower() for one in sources]:
        lacking.append("canPublishSources: microphone")
    return f"the token lacks {', '.join(lacking)}" if lacking else ""


def _too_much(granted: Granted, _: Evidence) -> str:
    more = [name for name in _FORBIDDEN if granted.grants.get(name)]
    sip = (granted.claims or {}).get("sip")
    more += [f"sip.{name}" for name, value in sip.items() if value] if isinstance(sip, Mapping) else []
    return f"the token also grants {', '.join(more)}" if more else ""


def _unneeded(granted: Granted, _: Evidence) -> str:
    more = [name for name, value in granted.grants.items() if value and name not in (*_KNOWN, "canPublishSources")]
    return f"the token also grants {', '.join(more)}" if more else ""


def _endless(granted: Granted, evidence: Evidence) -> str:
    lifetime_s = _lifetime_s(granted, evidence)
    if lifetime_s is None:
        return "the token never expires"
    end, start = (granted.claims or {})["exp"], (granted.claims or {}).get("nbf")
    if lifetime_s <= 0 or end <= evidence.now_s - CLOCKS_DIFFER_S:
        return "the token has expired already"
    if isinstance(start, int | float) and start > evidence.now_s + CLOCKS_DIFFER_S:
        return f"the token is not valid for another {start - evidence.now_s:.0f} s"
    return ""


def _long(granted: Granted, evidence: Evidence) -> str:
    lifetime_s = _lifetime_s(granted, evidence)
    if lifetime_s is None or lifetime_s <= ADVISED_LIFETIME_S:
        return ""
    return f"the token is good for {lifetime_s / 60:.0f} min"


def _lifetime_s(granted: Granted, evidence: Evidence) -> float | None:
    """Seconds for which a token is good from its start, or else from now; None if it does not end."""
    claims = granted.claims or {}
    end = claims.get("exp")
    if not isinstance(end, int | float):
        return None
    start = next((claims[name] for name in ("nbf", "iat") if isinstance(claims.get(name), int | float)), evidence.now_s)
    return float(end - start)


def _nobody(granted: Granted, _: Evidence) -> str:
    identity = (granted.claims or {}).get("sub")
    return (
        "" if isinstance(identity, str) and identity else "the token names no identity, and LiveKit refuses such ones"
    )


_token("jwt", "The token is a JWT.", _not_jwt)
_token("room", "The token is for one room.", _not_one_room)
_token("room_name", "The token's room is `room_name`.", _other_room)
_token("grants.needed", "The token allows to join, publish, subscribe and send data.", _lacking)
_token("grants.forbidden", "The token allows no more: no admin, create, list or record.", _too_much)
_token("grants.unneeded", "The token has no other grants.", _unneeded, "advice")
_token("expires", "The token is short-lived: it expires, has not expired yet, and is valid now.", _endless)
_token("lifetime", "The token is good for at most 15 minutes.", _long, "advice")
_token("identity", "The token names an identity.", _nobody)
