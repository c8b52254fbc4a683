"""Translates pydantic's validation errors to plain words.

What is said is looked up by the type of the error in a table: `_PLAIN`, for the authors of scenarios and agents files,
or one that a caller puts before it, as the session service does with the words of its contract.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

Words = str | Callable[[Mapping[str, Any]], str]
"""Words for a type of error: a text in which `{max_length}` and so on stand for its context, or a function of it."""
Wording = Mapping[str, Words]
"""Words by pydantic's type of error (`string_type`), or by what that begins with (`string`)."""


def in_plain_words(detail: ErrorDetails | Mapping[str, Any], wording: Wording | None = None) -> str:
    """What is wrong with a value and what is expected; the message of a validator's `ValueError` is kept.

    Unknown and missing keys of a file are reported elsewhere (`fitting.py`), because that needs the model.

    Args:
        detail: The error, as pydantic lists it.
        wording: Words that go before the plain ones.
    """
    kind = str(detail["type"])
    for table in (wording or {}, _PLAIN):
        for name in (kind, kind.partition("_")[0]):
            words = table.get(name)
            if words is not None:
                return words(detail) if callable(words) else words.format_map(detail.get("ctx", {}))
    return "is not a valid value"


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known name most similar to `word`; None if none is similar enough."""
    found = difflib.get_close_matches(word.lower(), [name.lower() for name in known], n=1, cutoff=0.6)
    return next((name for name in known if found and name.lower() == found[0]), None)


def _of_validator(detail: Mapping[str, Any]) -> str:
    return str(detail.get("ctx", {}).get("error", "")) or "is not a valid value"


def _choice(detail: Mapping[str, Any]) -> str:
    given = detail.get("input")
    known = re.findall(r"'((?:[^'\\]|\\.)*)'", str(detail.get("ctx", {}).get("expected", "")))
    if not known:  # `Literal[True]`: a switch that can only be turned on
        return "must be true; otherwise remove the key"
    what = f"unknown value {given!r}" if isinstance(given, str) else "is not a valid value"
    alike = nearest(given, known) if isinstance(given, str) else None
    return f"{what}; did you mean {alike!r}?" if alike else f"{what}; use one of {', '.join(known)}"


def _too_short(detail: Mapping[str, Any]) -> str:
    context = detail.get("ctx", {})
    least, has = context.get("min_length"), context.get("actual_length")
    if least == 1:
        return "must not be empty"
    return f"must have at least {least} characters" if has is None else f"must have at least {least} (got {has})"


def _bound(name: str, words: str) -> Words:
    def said(detail: Mapping[str, Any]) -> str:
        bound = detail.get("ctx", {}).get(name)
        return words.format(f"{bound:g}" if isinstance(bound, float) else bound)

    return said


_LIST, _MAPPING = "must be a list", "must be a mapping of keys to values"
_PLAIN: Wording = {
    "value_error": _of_validator,
    "literal_error": _choice,
    "enum": _choice,
    "too_short": _too_short,
    "too_long": "must have at most {max_length} (got {actual_length})",
    "string_too_short": _too_short,
    "string_too_long": "must have at most {max_length} characters",
    "greater_than": _bound("gt", "must be greater than {}"),
    "greater_than_equal": _bound("ge", "must be {} or more"),
    "less_than": _bound("lt", "must be less than {}"),
    "less_than_equal": _bound("le", "must be {} or less"),
    "multiple_of": _bound("multiple_of", "must be a multiple of {}"),
    "recursion_loop": "must not contain itself (a YAML alias); write it out",
    "bool": "must be true or false",
    "dict": _MAPPING,
    "finite": "must be a finite number",
    "float": "must be a number",
    "frozen": _LIST,
    "int": "must be a whole number",
    "list": _LIST,
    "mapping": _MAPPING,
    "model": _MAPPING,
    "none": "must be nothing",
    "set": _LIST,
    "string": "must be a string",
    "tuple": _LIST,
}
