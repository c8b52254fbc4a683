"""The values that a scenario's keys take: texts, limits, durations, lists."""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import attrgetter
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, GetPydanticSchema, WithJsonSchema
from pydantic_core import core_schema

from harness.parsing.durations import duration_s
from harness.parsing.limits import Limit, parse_time_limit, parse_word_error_limit
from harness.parsing.yaml_places import as_written
from harness.text.as_read import as_read


def is_number(value: Any) -> bool:
    """Whether the value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def text_of(value: Any) -> Any:
    """Accepts numbers, as they are written, where text is expected."""
    return as_written(value) if is_number(value) else value


def limit_text(value: Any) -> Any:
    """Accepts numbers, by their value, where a limit is expected."""
    return str(value) if is_number(value) else value


def as_list(value: Any) -> Any:
    """Accepts a single value where a list is expected."""
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


NUMBER_OR_TEXT = {"type": ["string", "number"]}
Text = Annotated[str, BeforeValidator(text_of), WithJsonSchema(NUMBER_OR_TEXT)]
SomeText = Annotated[str, BeforeValidator(text_of), AfterValidator(_not_blank), WithJsonSchema(NUMBER_OR_TEXT)]
RatioLimit = Annotated[
    Limit, _limit_by(parse_word_error_limit), BeforeValidator(limit_text), WithJsonSchema(NUMBER_OR_TEXT)
]
TimeLimit = Annotated[
    Limit, _limit_by(parse_time_limit), BeforeValidator(limit_text), WithJsonSchema({"type": "string"})
]
Duration = Annotated[
    str, BeforeValidator(limit_text), AfterValidator(_duration_text), WithJsonSchema({"type": "string"})
]
Pattern = Annotated[str, BeforeValidator(text_of), AfterValidator(_pattern), WithJsonSchema(NUMBER_OR_TEXT)]
OneOrMany = Annotated[list[SomeText], BeforeValidator(as_list), Field(min_length=1)]


class Strict(BaseModel):
    """A part of a scenario: an unknown key is an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )
