"""Finds the line of a key in a TOML text, which the standard library's parser does not report."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator


def line_of(text: str, keys: tuple[str, ...]) -> int | None:
    """The line (from 1) of the key at path `keys`, or of its nearest enclosing key; None if none is found."""
    best: int | None = None
    depth = 0
    for line, found in _keys_by_line(text):
        shared = 0
        while shared < min(len(found), len(keys)) and found[shared] == keys[shared]:
            shared += 1
        # A header `[targets.one]` is also the place of `targets`, but not of another target.
        if shared > depth and (shared == len(found) or shared == len(keys)):
            best, depth = line, shared
    return best


def _keys_by_line(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yields the line and the full path of each table header, and of each key at the start of a line."""
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("["):
            inside = stripped.lstrip("[").partition("]")[0]
            table = _parts(inside)
            yield number, table
        elif "=" in stripped and not stripped.startswith("#"):
            name = _parts(stripped.partition("=")[0])
            if name:
                yield number, (*table, *name)


def _parts(dotted: str) -> tuple[str, ...]:
    """The parts of a dotted key, unquoted; empty if it is not a key (a line within a multi-line string, say)."""
    try:
        data = tomllib.loads(f"{dotted} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    parts = []
    while isinstance(data, dict):
        (name, data), *_ = data.items()
        parts.append(name)
    return tuple(parts)
