"""Validates data that were read from a file as a model: each value that does not fit is an error with its place.

Pydantic checks a value as a whole only once each of its parts is right. So that one wrong key does not hide
what else is wrong, what did not fit is taken out, and the rest is validated again until it fits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.errors import Place, UsageError, raise_all
from harness.parsing.plain_words import in_plain_words, nearest
from harness.parsing.yaml_places import Keys, PlaceOf, place_of, plain

Model = TypeVar("Model", bound=BaseModel)
StandIn = Callable[[Keys, Any], Any]
"""Returns a valid value to put in the place of one that does not fit or is missing, or None to leave it out."""


class MisfitError(ValueError):
    """A validator found an error in a nested value; `keys` is the path to it from the value being validated."""

    def __init__(self, message: str, *keys: str | int) -> None:
        super().__init__(message)
        self.keys: Keys = keys
        self.others: Sequence[MisfitError] = ()


def refuse_misfits(found: Sequence[MisfitError]) -> None:
    """Raises the misfits found, if any.

    Raises:
        MisfitError: The first misfit, with the others as `others`.
    """
    if found:
        found[0].others = found[1:]
        raise found[0]


@dataclass(frozen=True)
class Fitted(Generic[Model]):
    """What fits of some data.

    Attributes:
        model: The model of all values that fit; None if too little is left.
        errors: One error for each value that does not fit.
        left_out: Where those values were.
    """

    model: Model | None
    errors: Sequence[UsageError]
    left_out: Sequence[Keys]


@dataclass(frozen=True)
class _Fault:
    keys: Keys
    error: UsageError
    explains: bool = True
    """Whether an error of a value that encloses this one may be its consequence."""
    shown_at: Keys | None = None
    """The value that the error is about, if it is not the one at `keys`."""


def validate_model(model: type[Model], data: Any, *, path: Path, error: type[UsageError]) -> Model:
    """Validates the `data` of the file at `path` as a `model`.

    Raises:
        error: A value does not fit; the place names line and column, and the message suggests the nearest valid name.
        SeveralErrors: Several values do not fit.
    """
    fitted = fit_model(model, data, place=partial(place_of, path), error=error)
    raise_all(fitted.errors)
    assert fitted.model is not None, "what does not fit is an error"  # noqa: S101 - for the type checker
    return fitted.model


def fit_model(
    model: type[Model],
    data: Any,
    *,
    place: PlaceOf,
    error: type[UsageError],
    hint: str | None = None,
    known: Sequence[tuple[Keys, UsageError]] = (),
    stand_in: StandIn = lambda _keys, _value: None,
) -> Fitted[Model]:
    """Returns what of `data` fits a `model`, and an error for each value that does not; see `validate_model`.

    Args:
        model: The model.
        data: The data, as mappings and lists.
        place: Locates a value of the data.
        error: The type of the errors.
        hint: The hint of an error that has no better one.
        known: Values that are wrong for other reasons, with their errors; they are left out.
        stand_in: What to put in the place of a value that is left out.
    """
    make = partial(error, hint=hint)
    rest = plain(data)
    faults = [_Fault(*each) for each in known]
    for fault in faults:
        _take_out(rest, fault.keys, stand_in)
    while True:
        try:
            return Fitted(model.model_validate(rest), _errors(faults), [fault.keys for fault in faults])
        except ValidationError as problem:
            details = _telling(problem.errors(include_url=False), rest)
        found = [each for detail in details for each in _faults(detail, model, rest, partial(place, data), make)]
        faults += [fault for fault in found if not any(_follows(fault, known) for known in faults)]
        before = deepcopy(rest)
        if not all(_take_out(rest, fault.keys, stand_in) for fault in found) or rest == before:
            return Fitted(None, _errors(faults), [fault.keys for fault in faults])


def _errors(faults: Sequence[_Fault]) -> list[UsageError]:
    return [fault.error for fault in faults]


def _follows(fault: _Fault, known: _Fault) -> bool:
    """Whether it may be there only because the value of a known fault was taken out."""
    outer = fault.keys if fault.shown_at is None else fault.shown_at
    inner = known.keys
    return (known.explains and inner[: len(outer)] == outer) or outer[: len(inner)] == inner


def _take_out(rest: Any, keys: Keys, stand_in: StandIn) -> bool:
    """Replaces or removes the value at `keys`; False if that would leave nothing."""
    if not keys:
        return False
    *outer, last = keys
    holder = rest
    for key in outer:
        try:
            holder = holder[key]
        except (KeyError, IndexError, TypeError):
            return True  # taken out with another fault
    is_mapping = isinstance(holder, dict)
    if not (is_mapping or isinstance(holder, list)):
        return _take_out(rest, tuple(outer), stand_in)
    value = holder.get(last) if is_mapping else holder[last]
    instead = stand_in(keys, value)
    if instead is not None and instead != value:
        holder[last] = instead
        return True
    if is_mapping and last in holder:
        del holder[last]
        return True
    return _take_out(rest, tuple(outer), stand_in)


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
    """The steps of a pydantic location that are keys of the data.

    Others name a union's member, or the item of a list that a single value stands for.
    """
    keys: list[str | int] = []
    for step in loc:
        is_key = step in data if isinstance(data, dict) else isinstance(data, list) and step in range(len(data))
        if is_key:
            keys.append(step)
            data = data[step]
    return tuple(keys)


def _faults(
    detail: ErrorDetails,
    model: type[BaseModel],
    data: Any,
    place: Callable[[Keys], Place],
    error: Callable[..., UsageError],
) -> list[_Fault]:
    keys = _keys_in(data, detail["loc"])
    where = ".".join(str(key) for key in keys)
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, MisfitError):
        inner = [((*keys, *misfit.keys), misfit) for misfit in (cause, *cause.others)]
        return [_Fault(at, error(f"{'.'.join(map(str, at))}: {misfit}", where=place(at))) for at, misfit in inner]
    if detail["type"] == "extra_forbidden":
        name = str(detail["loc"][-1])
        known = known_keys(model, detail["loc"][:-1])
        alike = nearest(name, known)
        what = f"unknown key {name!r}" + (f"; did you mean {alike!r}?" if alike else "")
        hint = f"use one of: {', '.join(known)}" if known else None
        return [_Fault(keys, error(what, where=place(keys), hint=hint), explains=alike is not None)]
    if detail["type"] == "missing":
        name = str(detail["loc"][-1])
        missing = error(f"the key {name!r} is missing", where=place(keys), hint="add the key")
        return [_Fault((*keys, name), missing, shown_at=keys)]
    message = in_plain_words(detail)
    return [_Fault(keys, error(f"{where}: {message}" if where else message, where=place(keys)))]


def known_keys(model: type[BaseModel], loc: Keys) -> list[str]:
    """The keys that a model accepts at a location of its data, sorted."""
    annotations: list[Any] = [model]
    for step in loc:
        inner = [found for annotation in annotations for found in _inside(annotation, step)]
        annotations = inner or annotations
    models = {found for annotation in annotations for found in _models_in(annotation)}
    return sorted({field.alias or name for found in models for name, field in found.model_fields.items()})


def _inside(annotation: Any, step: str | int) -> list[Any]:
    """What a step of a location leads to: a field's type, a list's or mapping's values, or a union's member by name."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.items()
        inner = [field.annotation for name, field in fields if step in (name, field.alias)]
        return inner or ([annotation] if annotation.__name__ == step else [])
    if (get_origin(annotation) is list and isinstance(step, int)) or get_origin(annotation) is dict:
        return [get_args(annotation)[-1]]
    return [found for inner in get_args(annotation) for found in _inside(inner, step)]


def _models_in(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return {found for inner in get_args(annotation) for found in _models_in(inner)}
