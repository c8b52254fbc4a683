"""The scenario: what the caller says, types and waits for, and what is expected of the agent.

Every key has an effect; an unknown one is an error.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from harness.parsing.durations import duration_s
from harness.parsing.fitting import MisfitError, refuse_misfits
from harness.scenario.expect import ALLOWED, Expect, Greeting
from harness.scenario.fields import Duration, SomeText, Strict, Text
from harness.scenario.pass_rate import Tolerant
from harness.scenario.thresholds import Thresholds

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z"
NAME_LENGTH = 80


def _name(value: str) -> str:
    if re.search(NAME_PATTERN, value) is None or len(value) > NAME_LENGTH:
        raise ValueError(
            f"{value!r} is not a valid name; use at most {NAME_LENGTH} letters, digits, dots, dashes and underscores"
        )
    return value


class SpokenText(Strict):
    """A text to be spoken by a voice of the extra `stack`."""

    text: SomeText
    voice: str | None = Field(None, description="joe (English) or espeak (any language).")
    language: str | None = None


class Step(Strict):
    """One step: exactly one of `say`, `type` and `wait`."""

    say: SomeText | SpokenText | None = Field(
        None, description="A fixture's name, the path of a WAV, or a text to speak."
    )
    type: SomeText | None = Field(None, description="A text to send as user_text.")
    wait: Duration | None = Field(None, description="How long to say nothing, such as 2s.")
    barge_in: Duration | None = Field(
        None, description="Start to speak this long after the onset of the agent's speech, over it."
    )
    expect: Expect = Field(default_factory=Expect)

    @property
    def kind(self) -> Literal["say", "type", "barge_in", "wait"]:
        """The step's kind."""
        if self.wait is not None:
            return "wait"
        if self.type is not None:
            return "type"
        return "barge_in" if self.barge_in is not None else "say"

    @property
    def wait_s(self) -> float:
        """How long a `wait` lasts, in seconds."""
        return duration_s(self.wait) if self.wait is not None else 0.0

    @property
    def barge_in_s(self) -> float:
        """How far into the agent's speech a `barge_in` starts, in seconds."""
        return duration_s(self.barge_in) if self.barge_in is not None else 0.0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        given = [name for name in ("say", "type", "wait") if getattr(self, name) is not None]
        if len(given) != 1:
            has = " and ".join(given) if given else "none of them"
            raise ValueError(f"a step must have exactly one of say, type and wait (got {has})")
        if self.barge_in is not None and self.say is None:
            raise ValueError("barge_in is only allowed with say")
        allowed = ALLOWED[self.kind]
        what = f"not allowed in a {self.kind} step; use {', '.join(allowed)}"
        refuse_misfits([MisfitError(what, "expect", name) for name in self.expect.given if name not in allowed])
        if self.kind == "wait" and self.expect.passes is not None and not self.expect.given:
            raise MisfitError(f"pass needs something that is expected; add {' or '.join(allowed)}", "expect", "pass")
        if self.expect.keeps_talking and self.expect.stops_within is not None:
            raise ValueError("stops_within and keeps_talking cannot be combined; remove one of them")
        if self.expect.agent_silent and self.expect.agent_speaks is not None:
            raise ValueError("agent_silent and agent_speaks cannot be combined; remove one of them")
        speaks = self.expect.agent_speaks
        if speaks is not None and speaks.limit.value > self.wait_s * 1000:
            raise ValueError(
                f"agent_speaks {speaks.limit} is longer than the wait of {self.wait}; make the wait longer"
            )
        return self


class SessionKeys(Strict):
    """Overrides of the agent's settings for this call; keys that are left out keep the agent's own."""

    language: Text | None = None
    system_prompt: Text | None = Field(None, description="The prompt, or the path of a .md or .txt file with it.")
    greeting: Text | None = None
    reference_audio_url: Text | None = None


class Timeouts(Strict):
    """How long the caller waits; what is left out is the target's, else the default."""

    session: Duration | None = None
    connect: Duration | None = None
    agent_join: Duration | None = None
    greeting: Duration | None = None
    reply: Duration | None = None
    end_silence: Duration | None = None
    call: Duration | None = None

    @field_validator("*")
    @classmethod
    def _above_zero(cls, value: str | None) -> str | None:
        if value is not None and duration_s(value) == 0:
            raise ValueError(f"must be longer than 0 (got {value})")
        return value


class Scenario(Tolerant):
    """One call's script, with what is expected of the agent."""

    name: Annotated[Text, AfterValidator(_name)] = Field(
        json_schema_extra={"pattern": NAME_PATTERN.replace(r"\Z", "$"), "maxLength": NAME_LENGTH}
    )
    description: Text | None = None
    tags: list[Text] = Field(default_factory=list)
    agent: Text | None = Field(None, description="The agent's id; --agent overrides it, and it overrides the target's.")
    agent_identity: Text | None = Field(
        None, description="The agent's identity in the room; by default the participant that answers."
    )
    session: SessionKeys = Field(default_factory=SessionKeys)
    greeting: Greeting | Literal[False] | None = Field(None, description="false: do not wait for a greeting.")
    turns: list[Step] = Field(min_length=1)
    thresholds: Thresholds = Field(default_factory=dict)
    timeouts: Timeouts = Field(default_factory=Timeouts)
    stop_on_failure: bool = Field(default=False, description="Hang up at the first turn without a reply.")

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.greeting is False and self.turns[0].barge_in is not None:
            what = "barge_in in the first turn needs a greeting, but greeting is false"
            raise MisfitError(what, "turns", 0, "barge_in")
        what = "ends_call is only allowed in the last step"
        refuse_misfits(
            [
                MisfitError(what, "turns", index, "expect", "ends_call")
                for index, step in enumerate(self.turns[:-1])
                if step.expect.ends_call is not None
            ]
        )
        return self
