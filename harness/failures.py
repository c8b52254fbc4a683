"""The closed list of what can make a call fail. Its meaning, kind by kind, is in `docs/failures.md`."""

from __future__ import annotations

from typing import Literal

FailureKind = Literal[
    "session.unreachable",
    "session.timeout",
    "session.redirected",
    "session.too_large",
    "session.unauthorized",
    "session.rate_limited",
    "session.rejected",
    "session.server_error",
    "session.not_json",
    "session.incomplete",
    "room.unreachable",
    "room.refused",
    "room.timeout",
    "room.lost",
    "room.publish_failed",
    "agent.never_joined",
    "agent.no_greeting",
    "agent.no_audio",
    "agent.no_reply",
    "agent.left",
    "agent.talks_on",
    "agent.call_too_long",
    "agent.gone_silent",
    "harness.shard_died",
    "harness.disk",
    "harness.bug",
]
