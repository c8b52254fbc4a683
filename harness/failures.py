"""The closed list of what can make a call fail, and what to do about it. `docs/failures.md` explains each kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

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

# Whose failure it is: the session service's, LiveKit's, the agent's or our own.
Side = Literal["session", "room", "agent", "harness"]


def side_of(kind: FailureKind) -> Side:
    """The side that a kind is named after."""
    return cast("Side", kind.partition(".")[0])


# The default hint for each kind, if there is no better one.
HINTS: Mapping[FailureKind, str] = {
    "session.unreachable": "check the URL, and that the service runs and is reachable from this machine",
    "session.timeout": "look at the service, or give it longer with timeouts.session",
    "session.redirected": "write the complete, final URL of the service",
    "session.too_large": "check that the URL is that of the session service",
    "session.unauthorized": "check the key, and that it may use this agent",
    "session.rate_limited": "start fewer calls at once or a minute, or ask for a higher limit",
    "session.rejected": "check the agent's id and the overrides of the session",
    "session.server_error": "look into the service's own log",
    "session.not_json": "check that the URL is that of the session service",
    "session.incomplete": "the body must be {data: {token, livekit_url}}",
    "room.unreachable": "check the livekit_url that the session service gives",
    "room.refused": "check the token's life, its server and room, and what it grants",
    "room.timeout": "is the LiveKit server well, and are its UDP and TCP ports open?",
    "room.lost": "is the LiveKit server well, and the network to it stable?",
    "room.publish_failed": "does the token allow publishing?",
    "agent.never_joined": "does an agent take jobs for this project, and for this agent's id?",
    "agent.no_greeting": "does the agent speak first? if it waits for the caller, leave greeting out of the scenario",
    "agent.no_audio": "its audio came and held no voice: look at the agent's speech synthesis",
    "agent.no_reply": "did it hear the caller (is there a transcript)? if it is only slow, raise timeouts.reply",
    "agent.left": "look at the agent's log; if it is meant to hang up, expect ends_call of the last turn",
    "agent.talks_on": "does the agent hear itself, or repeat a reply?",
    "agent.call_too_long": "raise timeouts.call, or shorten the script",
    "agent.gone_silent": "did its process crash, or lose its network?",
    "harness.shard_died": "look whether memory ran out on the machine that made the call; fewer calls there need less",
    "harness.disk": "free space on the disk",
    "harness.bug": "where it names an option use that, else report it with the run's folder",
}

# The hint if the harness itself was late when the failure occurred.
HINT_IF_LATE = "nothing of the agent is known from it: call again on a machine that is quieter or larger"
