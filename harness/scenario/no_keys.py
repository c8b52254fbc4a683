"""Refuses API keys in scenarios: the file is shared, and a run stores its content."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.errors import Place, ScenarioError, raise_all
from harness.parsing.yaml_places import Keys

_HINT = (
    "remove it, set api_key_env of a target in voice-harness.toml to the variable that holds it, and replace the key "
    "if the file was ever shared"
)


def refuse_key(raw: Any, is_key: Callable[[str], bool], place: Callable[[Keys], Place]) -> None:
    """Checks that no text of a scenario, as read from the file, contains a key.

    Raises:
        ScenarioError: One does; the key is not repeated.
        SeveralErrors: Several do.
    """
    what = "a scenario must not contain an API key"
    raise_all([ScenarioError(what, where=place(keys), hint=_HINT) for keys, text in _texts(raw) if is_key(text)])


def _texts(node: Any) -> Iterator[tuple[Keys, str]]:
    """Every text, including keys of mappings, with its path; a part that YAML aliases share is visited once."""
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
