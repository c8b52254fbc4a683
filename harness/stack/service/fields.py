"""The types of the fields that clients send, and the words for what is wrong with one.

Limits keep an order to the agents' process short. Control characters are refused, since texts are spoken, printed and
logged: in single lines all of them, in longer texts all but tab and line breaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

LINE_LIMIT = 200
LANGUAGE_LIMIT = 35
URL_LIMIT = 2048
GREETING_LIMIT = 5_000
PROMPT_LIMIT = 100_000

_IN_LINE = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_IN_TEXT = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"
_REFUSED_IN_LINE = re.compile(f"[{_IN_LINE}]")
_REFUSED_IN_TEXT = re.compile(f"[{_IN_TEXT}]")


def _line(value: str) -> str:
    if _REFUSED_IN_LINE.search(value):
        raise ValueError("Control characters and line breaks are not allowed.")
    return value


def _text(value: str) -> str:
    if _REFUSED_IN_TEXT.search(value):
        raise ValueError("Control characters other than tab and line breaks are not allowed.")
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("This field may not be blank.")
    return value


def _schema(refused: str) -> dict[str, Any]:
    return {"pattern": rf"^[^{refused}]*[^\s{refused}][^{refused}]*$"}


def _limited(limit: int, refused: str) -> Any:
    return Field(max_length=limit, json_schema_extra=_schema(refused))


Line = Annotated[str, AfterValidator(_line), AfterValidator(_not_blank), _limited(LINE_LIMIT, _IN_LINE)]
Language = Annotated[str, AfterValidator(_line), AfterValidator(_not_blank), _limited(LANGUAGE_LIMIT, _IN_LINE)]
Url = Annotated[str, AfterValidator(_line), AfterValidator(_not_blank), _limited(URL_LIMIT, _IN_LINE)]
Greeting = Annotated[str, AfterValidator(_text), AfterValidator(_not_blank), _limited(GREETING_LIMIT, _IN_TEXT)]
Prompt = Annotated[str, AfterValidator(_text), AfterValidator(_not_blank), _limited(PROMPT_LIMIT, _IN_TEXT)]
GreetingOrNone = Annotated[
    str,
    AfterValidator(_text),
    Field(max_length=GREETING_LIMIT, json_schema_extra={"pattern": rf"^[^{_IN_TEXT}]*$"}),
]


def wrong_fields(errors: Iterable[Mapping[str, Any]]) -> str:
    """What is wrong with each field, each as `field:` and a sentence.

    Args:
        errors: As pydantic lists them; `loc` may begin with `body`, `path` or `query`.
    """
    return " ".join(f"{_name(error['loc'])}: {_words(error)}" for error in errors)


def _name(place: tuple[int | str, ...]) -> str:
    parts = place[1:] if len(place) > 1 and place[0] in ("body", "path", "query") else place
    return ".".join(map(str, parts)) or "body"


def _words(error: Mapping[str, Any]) -> str:
    kind, limits = error["type"], error.get("ctx", {})
    if kind == "missing":
        return "This field is required."
    if kind == "string_type" and error["input"] is None:
        return "This field may not be null; leave it out to inherit the agent's default."
    if kind == "string_type":
        return "Not a valid string."
    if kind == "string_unicode":
        return "Not valid Unicode."
    if kind in ("string_too_long", "too_long"):
        return f"No more than {limits['max_length']} characters are allowed."
    if kind == "string_too_short":
        return f"At least {limits['min_length']} characters are required."
    if kind == "extra_forbidden":
        return "There is no such field."
    if kind == "value_error":
        return str(limits["error"])
    return f"{error['msg']}."
