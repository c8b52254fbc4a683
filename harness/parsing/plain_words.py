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
    "string": "a text",
    "tuple": "a list",
}
_BOUNDS = {
    "greater_than": ("gt", "more than {} is meant here"),
    "greater_than_equal": ("ge", "{} or more is meant here"),
    "less_than": ("lt", "less than {} is meant here"),
    "less_than_equal": ("le", "{} or less is meant here"),
    "multiple_of": ("multiple_of", "a multiple of {} is meant here"),
    "string_too_long": ("max_length", "this is too long; write at most {} characters"),
}


def in_plain_words(detail: ErrorDetails) -> str:
    """What is wrong with a value and what is expected; the message of a validator's `ValueError` is kept.

    Unknown and missing keys are reported elsewhere (`yaml_places.py`), because that needs the model.
    """
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "value_error":
        return str(context.get("error", "")) or "this cannot stand here"
    if kind in ("literal_error", "enum"):
        return _choice(detail.get("input"), re.findall(r"'((?:[^'\\]|\\.)*)'", str(context.get("expected", ""))))
    if kind in ("too_short", "too_long", "string_too_short"):
        return _size(kind, context)
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        bound = context.get(name)
        return words.format(f"{bound:g}" if isinstance(bound, float) else bound)
    if kind == "recursion_loop":
        return "this holds itself; write it out"
    meant = _MEANT.get(kind.partition("_")[0])
    return f"{meant} is meant here" if meant else "this cannot stand here"


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known name most similar to `word`; None if none is similar enough."""
    found = difflib.get_close_matches(word.lower(), [name.lower() for name in known], n=1, cutoff=0.6)
    return next((name for name in known if found and name.lower() == found[0]), None)


def _choice(given: Any, known: Sequence[str]) -> str:
    if not known:  # `Literal[True]`: a switch that can only be turned on
        return "only true can stand here; leave the key out otherwise"
    what = f"there is no {given!r} here" if isinstance(given, str) else "this is none of the choices"
    alike = nearest(given, known) if isinstance(given, str) else None
    return f"{what}; did you mean {alike!r}?" if alike else f"{what}; known are {', '.join(known)}"


def _size(kind: str, context: dict[str, Any]) -> str:
    least, most, has = context.get("min_length"), context.get("max_length"), context.get("actual_length")
    if kind == "too_long":
        return f"at most {most} are meant here; this has {has}"
    if kind == "string_too_short":
        return "this is blank; write a text" if least == 1 else f"this is too short; write at least {least} characters"
    return "this is empty; write at least one" if least == 1 else f"at least {least} are meant here; this has {has}"
