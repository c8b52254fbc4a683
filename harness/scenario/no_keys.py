"""A scenario is a file that is shared, and a run keeps what it said: no key may stand in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.errors import Place, ScenarioError, raise_all
from harness.parsing.yaml_places import Keys

_HINT = (
    "take it out, make a new key if the file was ever shared, and name its variable as api_key_env of a target in "
    "voice-harness.toml"
)


def refuse_key(raw: Any, is_key: Callable[[str], bool], place: Callable[[Keys], Place]) -> None:
    """Returns where no text of a scenario, as it was read, holds a key.

    Raises:
        ScenarioError: One does; it is not repeated.
        SeveralErrors: Several do.
    """
    what = "an API key does not belong into a scenario"
    raise_all([ScenarioError(what, where=place(keys), hint=_HINT) for keys, text in _texts(raw) if is_key(text)])


def _texts(node: Any) -> Iterator[tuple[Keys, str]]:
    """Every text, names of keys too, with the way to it; a part that an alias leads to again is gone through once."""
    seen: set[int] = set()

    def walk(node: Any, keys: Keys) -> Iterator[tuple[Keys, str]]:
        if isinstance(node, str):
            yield keys, node
        if not isinstance(node, Mapping | list) or id(node) in seen:
            return
        seen.add(id(node))
        for key, value in node.items() if isinstance(node, Mapping) else enumerate(node):
            here = (*keys, key)
            yield from walk(key, here)
            yield from walk(value, here)

    return walk(node, ())
