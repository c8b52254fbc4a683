"""The kinds of spans, with their attributes and events: what a trace has, for its documentation.

Names are our own (`voice.…`): the semantic conventions of the field are not settled.
"""

from __future__ import annotations

from dataclasses import dataclass

CALL = "voice.call"


@dataclass(frozen=True)
class SpanKind:
    """A kind of span, for the documentation.

    Attributes:
        name: Its name.
        parent: The names of the spans that it may be inside of; empty for the root.
        covers: From when to when it is.
        attributes: The names of its attributes. Each may be missing where there is no value.
        events: The names of its events.
    """

    name: str
    parent: str
    covers: str
    attributes: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


CALL_MS = ("session_create_ms", "room_connect_ms", "agent_join_ms")
TURN_VALUES = (
    *("ttfa_ms", "ttfa_ear_ms", "first_sound_ms", "transcript_ms", "echo_ms", "reply_text_ms", "stop_ms"),
    *("talk_over_ms", "dead_air_ms", "wer", "interrupted", "false_stop"),
)
KINDS: tuple[SpanKind, ...] = (
    SpanKind(
        CALL,
        "",
        "the call's start → its end",
        (
            *("voice.run", "voice.call", "voice.scenario", "voice.agent", "voice.target", "voice.engine", "voice.host"),
            *("voice.ok", "voice.cut", "voice.failure", "voice.fit", "voice.retry_of"),
            *("voice.warm_up", "voice.canary", "voice.side", "voice.turns"),
            *(f"voice.{name}" for name in CALL_MS),
        ),
        ("voice.failure", "voice.agent_left", "voice.agent_hung_up", "voice.cut", "voice.hung_up"),
    ),
    SpanKind("voice.session", CALL, "session requested → credentials"),
    SpanKind("voice.join", CALL, "join asked → connected"),
    SpanKind("voice.agent_join", CALL, "join asked → the agent's audio subscribed"),
    SpanKind(
        "voice.greeting",
        CALL,
        "the greeting awaited → it ended",
        ("voice.fit", "voice.ttfa_ms"),
        ("voice.agent_onset",),
    ),
    SpanKind(
        "voice.turn",
        CALL,
        "the turn's start → its end",
        (
            *("voice.turn", "voice.step", "voice.kind", "voice.language", "voice.ended_by"),
            *("voice.fit", "voice.doubtful", "voice.failed_expectations"),
            *(f"voice.{name}" for name in TURN_VALUES),
        ),
        ("voice.caller_start", "voice.caller_end", "voice.agent_onset", "voice.failure"),
    ),
    SpanKind("voice.wait", CALL, "a `wait` step", ("voice.step",)),
    SpanKind(
        "voice.tool_call",
        "voice.turn, voice.greeting",
        "the agent's tool call, as it reports it",
        ("voice.tool", "voice.ok", "voice.ms"),
    ),
)
