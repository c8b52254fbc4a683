"""Translates pydantic's validation errors to plain words for the authors of scenarios."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any

from pydantic_core import ErrorDetails

_MEANT = {
    "bool": "true or false",
    "dict": "a mapping of keys to values",
    "finite": "a finite number",
    "float": "a number",
    "frozen": "a list",
    "int": "a whole number",
    "list": "a list",
    "mapping": "a mapping of keys to values",
    "model": "a mapping of keys to values",
    "none": "nothing",
    "set": "a list",
    "string": "a string",
    "tuple": "a list",
}
_BOUNDS = {
    "greater_than": ("gt", "must be greater than {}"),
    "greater_than_equal": ("ge", "must be {} or more"),
    "less_than": ("lt", "must be less than {}"),
    "less_than_equal": ("le", "must be {} or less"),
    "multiple_of": ("multiple_of", "must be a multiple of {}"),
    "string_too_long": ("max_length", "must have at most {} characters"),
}


def in_plain_words(detail: ErrorDetails) -> str:
    """What is wrong with a value and what is expected; the message of a validator's `ValueError` is kept.

    Unknown and missing keys are reported elsewhere (`fitting.py`), because that needs the model.
    """
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "value_error":
        return str(context.get("error", "")) or "is not a valid value"
    if kind in ("literal_error", "enum"):
        return _choice(detail.get("input"), re.findall(r"'((?:[^'\\]|\\.)*)'", str(context.get("expected", ""))))
    if kind in ("too_short", "too_long", "string_too_short"):
        return _size(kind, context)
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        bound = context.get(name)
        return words.format(f"{bound:g}" if isinstance(bound, float) else bound)
    if kind == "recursion_loop":
        return "must not contain itself (a YAML alias); write it out"
    meant = _MEANT.get(kind.partition("_")[0])
    return f"must be {meant}" if meant else "is not a valid value"


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known name most similar to `word`; None if none is similar enough."""
    found = difflib.get_close_matches(word.lower(), [name.lower() for name in known], n=1, cutoff=0.6)
    return next((name for name in known if found and name.lower() == found[0]), None)


def _choice(given: Any, known: Sequence[str]) -> str:
    if not known:  # `Literal[True]`: a switch that can only be turned on
        return "must be true; otherwise remove the key"
    what = f"unknown value {given!r}" if isinstance(given, str) else "is not a valid value"
    alike = nearest(given, known) if isinstance(given, str) else None
    return f"{what}; did you mean {alike!r}?" if alike else f"{what}; use one of {', '.join(known)}"


def _size(kind: str, context: dict[str, Any]) -> str:
    least, most, has = context.get("min_length"), context.get("max_length"), context.get("actual_length")
    if kind == "too_long":
        return f"must have at most {most} (got {has})"
    if kind == "string_too_short":
        return "must not be empty" if least == 1 else f"must have at least {least} characters"
    return "must not be empty" if least == 1 else f"must have at least {least} (got {has})"
