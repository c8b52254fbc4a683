"""What a scenario expects of the agent: of its greeting, and in each step."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from harness.scenario.fields import (
    OneOrMany,
    Pattern,
    RatioLimit,
    SomeText,
    TimeLimit,
    as_list,
    is_number,
    text_of,
)
from harness.scenario.pass_rate import Tolerant


class _Expectations(Tolerant):
    @property
    def given(self) -> dict[str, Any]:
        """The expectations that are given, by their keys."""
        fields = ((name, getattr(self, name)) for name in type(self).model_fields if name != "passes")
        return {name: value for name, value in fields if value is not None}


class _Limited(Tolerant):
    """An expectation with a limit: the limit alone, or a mapping of `limit` and `pass`."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return value if isinstance(value, dict | cls) else {"limit": value}

    @model_serializer(mode="wrap")
    def _as_written(self, serialize: SerializerFunctionWrapHandler) -> Any:
        written = serialize(self)
        return written if self.passes is not None else written["limit"]


class ExpectedTime(_Limited):
    """A time that is expected."""

    limit: TimeLimit


class ExpectedRatio(_Limited):
    """A ratio that is expected."""

    limit: RatioLimit


class ExpectedTrue(_Limited):
    """Something that is expected to be so."""

    limit: Literal[True]


class ExpectedEnd(_Limited):
    """That the agent ends the call, at all or within a time."""

    limit: Literal[True] | TimeLimit


class Reply(_Expectations):
    """What the agent's text must say. Case and spacing are ignored; `matches` is a Python regular expression."""

    contains: OneOrMany | None = Field(None, description="The reply must contain this text, or all of these texts.")
    contains_any: OneOrMany | None = Field(None, description="The reply must contain at least one of these texts.")
    matches: Pattern | None = Field(None, description="The reply must match this regular expression somewhere.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.given:
            raise ValueError("reply is empty; add contains, contains_any or matches")
        return self


def _argument(value: Any) -> Any:
    """Accepts numbers, true and false, as they are written, for the value of a tool's argument."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str) and not is_number(value):
        raise ValueError("must be a text, a number, true or false")
    return text_of(value)


ArgumentText = Annotated[str, BeforeValidator(_argument), WithJsonSchema({"type": ["string", "number", "boolean"]})]


class WantedTool(Tolerant):
    """A tool that the agent must call, and the arguments that it must call it with; others may be there too."""

    name: SomeText
    arguments: dict[str, ArgumentText] | None = Field(None, description="Compared as texts, case and spacing ignored.")


def _wanted_tool(value: Any) -> Any:
    """Accepts a name alone."""
    if isinstance(value, str) or is_number(value):
        return {"name": value}
    if not isinstance(value, dict | WantedTool):
        raise ValueError("must be the name of a tool, or a mapping with name and arguments")  # noqa: TRY004 - pydantic's
    return value


WantedTools = Annotated[
    list[Annotated[WantedTool, BeforeValidator(_wanted_tool)]], BeforeValidator(as_list), Field(min_length=1)
]


class Expect(_Expectations):
    """What is expected of one step."""

    reply: Reply | None = None
    ttfa: ExpectedTime | None = Field(None, description="Time to first audio of the reply, such as <2s.")
    echo: ExpectedTime | None = Field(None, description="Typed turns: time to the echo of the text.")
    ends_call: ExpectedEnd | None = Field(
        None,
        description="Last turn only: the agent must end the call after its reply, within this time; true: within 5 s.",
    )
    wer: ExpectedRatio | None = Field(
        None, description="Spoken turns: the transcript's word error rate, such as <=0.3."
    )
    stops_within: ExpectedTime | None = Field(
        None, description="With barge_in: the agent must be silent within this time."
    )
    keeps_talking: ExpectedTrue | None = Field(None, description="With barge_in: the agent must keep talking.")
    agent_silent: ExpectedTrue | None = Field(None, description="With wait: the agent must say nothing.")
    agent_speaks: ExpectedTime | None = Field(
        None, description="With wait: the agent must start to speak within this time."
    )
    calls_tool: WantedTools | None = Field(
        None, description="The agent must call this tool, or all of these tools, and report it on voice.tool_call."
    )


ALLOWED: dict[str, tuple[str, ...]] = {
    "say": ("reply", "ttfa", "wer", "ends_call", "calls_tool"),
    "barge_in": ("reply", "ttfa", "wer", "stops_within", "keeps_talking", "ends_call", "calls_tool"),
    "type": ("reply", "ttfa", "echo", "ends_call", "calls_tool"),
    "wait": ("agent_silent", "agent_speaks"),
}


class Greeting(_Expectations):
    """What is expected of the agent's first speech."""

    within: ExpectedTime | None = Field(None, description="Time from our join request to the greeting's onset.")
    reply: Reply | None = None
