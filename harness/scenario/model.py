"""The scenario: what the caller says, types and waits for, and what is expected of the agent.

Every key has an effect; an unknown one is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import attrgetter
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import core_schema

from harness.metrics.threshold import check_threshold
from harness.parsing.durations import duration_s
from harness.parsing.fitting import MisfitError, refuse_misfits
from harness.parsing.limits import Limit, parse_time_limit, parse_word_error_limit
from harness.parsing.yaml_places import as_written
from harness.text.as_read import as_read

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z"
NAME_LENGTH = 80


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> Any:
    """Accepts numbers, as they are written, where text is expected."""
    return as_written(value) if _is_number(value) else value


def _limit(value: Any) -> Any:
    return str(value) if _is_number(value) else value


def _argument(value: Any) -> Any:
    """Accepts numbers, true and false, as they are written, for the value of a tool's argument."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str) and not _is_number(value):
        raise ValueError("must be a text, a number, true or false")
    return _text(value)


def _list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _limit_by(parse: Callable[[str], Limit]) -> GetPydanticSchema:
    """A field that holds the limit, and in files the text that was written."""
    as_written = core_schema.plain_serializer_function_ser_schema(attrgetter("written"))
    of_text = core_schema.no_info_after_validator_function(parse, core_schema.str_schema(), serialization=as_written)
    return GetPydanticSchema(lambda _source, _handler: of_text)


def _duration_text(value: str) -> str:
    duration_s(value)
    return value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as problem:
        raise ValueError(f"{value!r} is not a valid regular expression: {problem}") from None
    return value


def _not_blank(value: str) -> str:
    if not as_read(value):
        raise ValueError("must not be empty")
    return value


def _name(value: str) -> str:
    if re.search(NAME_PATTERN, value) is None or len(value) > NAME_LENGTH:
        raise ValueError(
            f"{value!r} is not a valid name; use at most {NAME_LENGTH} letters, digits, dots, dashes and underscores"
        )
    return value


_NUMBER_OR_TEXT = {"type": ["string", "number"]}
Text = Annotated[str, BeforeValidator(_text), WithJsonSchema(_NUMBER_OR_TEXT)]
SomeText = Annotated[str, BeforeValidator(_text), AfterValidator(_not_blank), WithJsonSchema(_NUMBER_OR_TEXT)]
RatioLimit = Annotated[
    Limit, _limit_by(parse_word_error_limit), BeforeValidator(_limit), WithJsonSchema(_NUMBER_OR_TEXT)
]
TimeLimit = Annotated[Limit, _limit_by(parse_time_limit), BeforeValidator(_limit), WithJsonSchema({"type": "string"})]
Duration = Annotated[str, BeforeValidator(_limit), AfterValidator(_duration_text), WithJsonSchema({"type": "string"})]
Pattern = Annotated[str, BeforeValidator(_text), AfterValidator(_pattern), WithJsonSchema(_NUMBER_OR_TEXT)]
OneOrMany = Annotated[list[SomeText], BeforeValidator(_list), Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reply(_Strict):
    """What the agent's text must say. Case and spacing are ignored; `matches` is a Python regular expression."""

    contains: OneOrMany | None = Field(None, description="The reply must contain this text, or all of these texts.")
    contains_any: OneOrMany | None = Field(None, description="The reply must contain at least one of these texts.")
    matches: Pattern | None = Field(None, description="The reply must match this regular expression somewhere.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.contains is None and self.contains_any is None and self.matches is None:
            raise ValueError("reply is empty; add contains, contains_any or matches")
        return self


ArgumentText = Annotated[str, BeforeValidator(_argument), WithJsonSchema({"type": ["string", "number", "boolean"]})]


class WantedTool(_Strict):
    """A tool that the agent must call, and the arguments that it must call it with; others may be there too."""

    name: SomeText
    arguments: dict[str, ArgumentText] | None = Field(None, description="Compared as texts, case and spacing ignored.")


def _wanted_tool(value: Any) -> Any:
    """Accepts a name alone."""
    if isinstance(value, str) or _is_number(value):
        return {"name": value}
    if not isinstance(value, dict | WantedTool):
        raise ValueError("must be the name of a tool, or a mapping with name and arguments")  # noqa: TRY004 - pydantic's
    return value


WantedTools = Annotated[
    list[Annotated[WantedTool, BeforeValidator(_wanted_tool)]], BeforeValidator(_list), Field(min_length=1)
]


class Expect(_Strict):
    """What is expected of one step."""

    reply: Reply | None = None
    ttfa: TimeLimit | None = Field(None, description="Time to first audio of the reply, such as <2s.")
    echo: TimeLimit | None = Field(None, description="Typed turns: time to the echo of the text.")
    ends_call: Literal[True] | TimeLimit | None = Field(
        None,
        description="Last turn only: the agent must end the call after its reply, within this time; true: within 5 s.",
    )
    wer: RatioLimit | None = Field(None, description="Spoken turns: the transcript's word error rate, such as <=0.3.")
    stops_within: TimeLimit | None = Field(
        None, description="With barge_in: the agent must be silent within this time."
    )
    keeps_talking: Literal[True] | None = Field(None, description="With barge_in: the agent must keep talking.")
    agent_silent: Literal[True] | None = Field(None, description="With wait: the agent must say nothing.")
    agent_speaks: TimeLimit | None = Field(
        None, description="With wait: the agent must start to speak within this time."
    )
    calls_tool: WantedTools | None = Field(
        None, description="The agent must call this tool, or all of these tools, and report it on voice.tool_call."
    )


class SpokenText(_Strict):
    """A text to be spoken by a voice of the extra `stack`."""

    text: SomeText
    voice: str | None = Field(None, description="joe (English) or espeak (any language).")
    language: str | None = None


_ALLOWED: dict[str, tuple[str, ...]] = {
    "say": ("reply", "ttfa", "wer", "ends_call", "calls_tool"),
    "barge_in": ("reply", "ttfa", "wer", "stops_within", "keeps_talking", "ends_call", "calls_tool"),
    "type": ("reply", "ttfa", "echo", "ends_call", "calls_tool"),
    "wait": ("agent_silent", "agent_speaks"),
}


class Step(_Strict):
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
        allowed = _ALLOWED[self.kind]
        what = f"not allowed in a {self.kind} step; use {', '.join(allowed)}"
        refuse_misfits(
            [
                MisfitError(what, "expect", name)
                for name in type(self.expect).model_fields
                if name not in allowed and getattr(self.expect, name) is not None
            ]
        )
        if self.expect.keeps_talking and self.expect.stops_within is not None:
            raise ValueError("stops_within and keeps_talking cannot be combined; remove one of them")
        if self.expect.agent_silent and self.expect.agent_speaks is not None:
            raise ValueError("agent_silent and agent_speaks cannot be combined; remove one of them")
        limit = self.expect.agent_speaks
        if limit is not None and limit.value > self.wait_s * 1000:
            raise ValueError(f"agent_speaks {limit} is longer than the wait of {self.wait}; make the wait longer")
        return self


class Greeting(_Strict):
    """What is expected of the agent's first speech."""

    within: TimeLimit | None = Field(None, description="Time from our join request to the greeting's onset.")
    reply: Reply | None = None


class SessionKeys(_Strict):
    """Overrides of the agent's settings for this call; keys that are left out keep the agent's own."""

    language: Text | None = None
    system_prompt: Text | None = Field(None, description="The prompt, or the path of a .md or .txt file with it.")
    greeting: Text | None = None
    reference_audio_url: Text | None = None


class Timeouts(_Strict):
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


def _thresholds(value: dict[str, list[str]]) -> dict[str, list[str]]:
    found = []
    for name, limits in value.items():
        for limit in limits:
            try:
                check_threshold(name, limit)
            except ValueError as problem:
                found.append(MisfitError(str(problem), name))
    refuse_misfits(found)
    return value


ThresholdText = Annotated[str, BeforeValidator(_limit), WithJsonSchema(_NUMBER_OR_TEXT)]
ThresholdTexts = Annotated[list[ThresholdText], BeforeValidator(_list), Field(min_length=1)]


class Scenario(_Strict):
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
    thresholds: Annotated[dict[str, ThresholdTexts], AfterValidator(_thresholds)] = Field(default_factory=dict)
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
