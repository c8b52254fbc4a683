"""Reads YAML 1.2 with the line and column of every value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import Place, UsageError

Keys = tuple[str | int, ...]
PlaceOf = Callable[[Any, Keys], Place]


MOST_VALUES = 100_000


def read_yaml(path: Path, *, error: type[UsageError]) -> Any:
    """Reads a file as mappings and lists that keep their places (see `place_of`).

    Raises:
        error: The file cannot be read or is not YAML; the place names line and column.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise error("no such file", where=Place(path), hint="check the path") from None
    except IsADirectoryError:
        raise error("this is a folder, not a file", where=Place(path), hint="give the path of the file") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise error(f"the file cannot be read: {problem}", where=Place(path), hint="save it as UTF-8 text") from None
    yaml = YAML(typ="rt", pure=True)
    yaml.version = (1, 2)
    try:
        data = yaml.load(text)
    except MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        place = Place(path, mark.line + 1, mark.column + 1) if mark else Place(path)
        what = " ".join(str(part) for part in (problem.problem, problem.context) if part)
        raise error(f"invalid YAML: {what}", where=place, hint="check the quotes, colons and indentation") from None
    except YAMLError as problem:
        raise error(f"invalid YAML: {problem}", where=Place(path), hint="check the file's characters") from None
    except (ValueError, RecursionError):
        what = "a number is too long, or the file is nested too deeply"
        raise error(
            f"this YAML cannot be read: {what}", where=Place(path), hint="shorten the number, or nest less"
        ) from None
    if _has_more_values_than(data, MOST_VALUES):
        what = f"with its aliases expanded it has more than {MOST_VALUES:,} values"
        raise error(f"this YAML cannot be read: {what}", where=Place(path), hint="remove aliases (*name)")
    return data


def _has_more_values_than(data: Any, most: int) -> bool:
    """Whether `data` has more than `most` values, counting an alias at each use."""
    left, count = [data], 0
    while left:
        value = left.pop()
        count += 1
        if count > most:
            return True
        if isinstance(value, Mapping):
            left += value.values()
        elif isinstance(value, Sequence) and not isinstance(value, str):
            left += value
    return False


def parse_yaml(text: str) -> Any:
    """Parses a YAML text; returns the text itself if it is not YAML."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML(typ="rt", pure=True)
    yaml.version = (1, 2)
    try:
        return yaml.load(text)
    except (YAMLError, ValueError, RecursionError):
        return text


def place_of(path: Path, data: Any, keys: Keys) -> Place:
    """The place of the value at path `keys`, or of the nearest enclosing value with a known place."""
    line: int | None = None
    column: int | None = None
    for key in keys:
        marks = getattr(data, "lc", None)
        try:
            if isinstance(data, Mapping):
                line, column = marks.key(key) if marks is not None else (line, column)
            elif isinstance(data, Sequence) and not isinstance(data, str) and isinstance(key, int):
                line, column = marks.item(key) if marks is not None else (line, column)
            data = data[key]
        except (KeyError, IndexError, TypeError, AttributeError):
            break
    if line is None or column is None:
        return Place(path)
    return Place(path, line + 1, column + 1)


def plain(data: Any) -> Any:
    """Converts to built-in dicts, lists, strings and numbers; the numbers keep their text (see `as_written`)."""
    if isinstance(data, Mapping):
        return {str(key): plain(value) for key, value in data.items()}
    if isinstance(data, str):
        return str(data)
    if isinstance(data, Sequence):
        return [plain(value) for value in data]
    if isinstance(data, bool) or data is None:
        return data
    if isinstance(data, int | float):
        return _number(data)
    return str(data)


class _Int(int):
    written: str


class _Float(float):
    written: str


def _number(data: float) -> int | float:
    if type(data) in (int, float):
        return data
    from ruamel.yaml.representer import RoundTripRepresenter

    number = _Int(data) if isinstance(data, int) else _Float(data)
    number.written = str(RoundTripRepresenter().represent_data(data).value)
    return number


def as_written(number: float) -> str:
    """The text of a number as written in the file: `007` and `3.50` may be an agent's name and a price."""
    return getattr(number, "written", str(number))
