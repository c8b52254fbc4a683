"""What a scenario expects of the agent in one step."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from harness.scenario.fields import (
    OneOrMany,
    Pattern,
    RatioLimit,
    SomeText,
    Strict,
    TimeLimit,
    as_list,
    is_number,
    text_of,
)


class Reply(Strict):
    """What the agent's text must say. Case and spacing are ignored; `matches` is a Python regular expression."""

    contains: OneOrMany | None = Field(None, description="The reply must contain this text, or all of these texts.")
    contains_any: OneOrMany | None = Field(None, description="The reply must contain at least one of these texts.")
    matches: Pattern | None = Field(None, description="The reply must match this regular expression somewhere.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.contains is None and self.contains_any is None and self.matches is None:
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


class WantedTool(Strict):
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


class Expect(Strict):
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


ALLOWED: dict[str, tuple[str, ...]] = {
    "say": ("reply", "ttfa", "wer", "ends_call", "calls_tool"),
    "barge_in": ("reply", "ttfa", "wer", "stops_within", "keeps_talking", "ends_call", "calls_tool"),
    "type": ("reply", "ttfa", "echo", "ends_call", "calls_tool"),
    "wait": ("agent_silent", "agent_speaks"),
}
