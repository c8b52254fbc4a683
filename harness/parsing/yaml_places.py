"""Reads YAML 1.2 with the line and column of every value, and validates it with errors that name them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.errors import Place, UsageError, raise_all
from harness.parsing.plain_words import in_plain_words, nearest

Model = TypeVar("Model", bound=BaseModel)
Keys = tuple[str | int, ...]
PlaceOf = Callable[[Any, Keys], Place]


class MisfitError(ValueError):
    """A validator found an error in a nested value; `keys` is the path to it from the value being validated."""

    def __init__(self, message: str, *keys: str | int) -> None:
        super().__init__(message)
        self.keys: Keys = keys
        self.others: Sequence[MisfitError] = ()


MOST_VALUES = 100_000


def refuse_misfits(found: Sequence[MisfitError]) -> None:
    """Raises the misfits found, if any.

    Raises:
        MisfitError: The first misfit, with the others as `others`.
    """
    if found:
        found[0].others = found[1:]
        raise found[0]


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


def validate_model(
    model: type[Model], data: Any, *, path: Path, error: type[UsageError], place: PlaceOf | None = None
) -> Model:
    """Validates `data` as a `model`; `place` locates values that are not in the file at `path`.

    Raises:
        error: A value does not fit; the place names line and column, and the message suggests the nearest valid name.
        SeveralErrors: Several values do not fit.
    """
    try:
        return model.model_validate(plain(data))
    except ValidationError as problem:
        details = _telling(problem.errors(include_url=False), data)
    where = place or partial(place_of, path)
    raise_all([each for detail in details for each in _as_errors(detail, model, data, where, error)])
    raise AssertionError("a validation error tells of no error")


def _telling(details: list[ErrorDetails], data: Any) -> list[ErrorDetails]:
    """The useful errors, one per value, in pydantic's order.

    A misspelt key also makes pydantic report the right one as missing, which is dropped. For a union, pydantic reports
    an error for each member; the most deeply nested error belongs to the member that was meant.
    """
    placed = [(_keys_in(data, detail["loc"]), detail) for detail in details]
    misspelt = {keys[:-1] for keys, detail in placed if detail["type"] == "extra_forbidden"}
    kept: dict[Keys, ErrorDetails] = {}
    for keys, detail in placed:
        if detail["type"] == "missing" and keys in misspelt:
            continue
        key = (*keys, detail["loc"][-1]) if detail["type"] == "missing" else keys
        kept.setdefault(key, detail)
    return [
        detail
        for keys, detail in kept.items()
        if not any(len(other) > len(keys) and other[: len(keys)] == keys for other in kept)
    ]


def _keys_in(data: Any, loc: Keys) -> Keys:
    return tuple(key for key in loc if _is_in(data, loc, key))


def _as_errors(
    detail: ErrorDetails, model: type[BaseModel], data: Any, place_in: PlaceOf, error: type[UsageError]
) -> list[UsageError]:
    keys = _keys_in(data, detail["loc"])
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, MisfitError):
        found = []
        for misfit in (cause, *cause.others):
            inner = (*keys, *misfit.keys)
            found.append(error(f"{'.'.join(map(str, inner))}: {misfit}", where=place_in(data, inner)))
        return found
    return [_as_error(detail, keys, model, place_in(data, keys), error)]


def _as_error(
    detail: ErrorDetails, keys: Keys, model: type[BaseModel], place: Place, error: type[UsageError]
) -> UsageError:
    where = ".".join(str(key) for key in keys)
    if detail["type"] == "extra_forbidden":
        name = str(detail["loc"][-1])
        known = known_keys(model, detail["loc"][:-1])
        alike = nearest(name, known)
        what = f"unknown key {name!r}" + (f"; did you mean {alike!r}?" if alike else "")
        return error(what, where=place, hint=f"use one of: {', '.join(known)}" if known else None)
    if detail["type"] == "missing":
        return error(f"the key {detail['loc'][-1]!r} is missing", where=place, hint="add the key")
    message = in_plain_words(detail)
    return error(f"{where}: {message}" if where else message, where=place)


def _is_in(data: Any, loc: Keys, key: str | int) -> bool:
    """Whether `key` of a pydantic location is a key of the data, not the name of a union's member."""
    for step in loc:
        try:
            inner = data[step]
        except (KeyError, IndexError, TypeError):
            if step == key:
                return False
            continue
        if step == key:
            return True
        data = inner
    return False


def known_keys(model: type[BaseModel], loc: Keys) -> list[str]:
    """The keys that a model accepts at a location of its data, sorted."""
    current: set[type[BaseModel]] = {model}
    for step in loc:
        if isinstance(step, int):
            continue
        inner: set[type[BaseModel]] = set()
        for candidate in current:
            for name, field in candidate.model_fields.items():
                if step in (name, field.alias):
                    inner |= _models_in(field.annotation)
        current = inner or {candidate for candidate in current if candidate.__name__ == step} or current
    return sorted({field.alias or name for candidate in current for name, field in candidate.model_fields.items()})


def _models_in(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return {found for inner in get_args(annotation) for found in _models_in(inner)}
